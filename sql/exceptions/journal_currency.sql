-- JOURNAL_CURRENCY: a journal file cannot carry a settlement in a foreign currency. One row per file.
select
    'JOURNAL_CURRENCY' as code,
    'high' as severity,
    false as blocking,
    'finance' as owner,
    'document' as entity_type,
    m.message_key as entity_id,
    m.settlement_key,
    cast(null as varchar) as order_id,
    m.amount as amount_at_risk,
    m.currency,
    5 as due_days,
    format('{} ({} {}): {}', m.remote_reference, cast(m.amount as varchar), m.currency, m.last_error) as message,
    'Set posting_route = "cashbook" in the profile, which posts to a bank kept in that currency, then run '
    || '`amazon-sage settle`.' as action
from outbox.messages as m
where m.status = 'held' and m.hold_code = 'JOURNAL_CURRENCY'
