-- JOURNAL_DIFFERS: an imported journal is not in Sage as the file says. One row per file.
select
    'JOURNAL_DIFFERS' as code,
    'high' as severity,
    false as blocking,
    'finance' as owner,
    'document' as entity_type,
    m.message_key as entity_id,
    m.settlement_key,
    cast(null as varchar) as order_id,
    m.amount as amount_at_risk,
    m.currency,
    1 as due_days,
    format('{} ({} {}): {}', m.remote_reference, cast(m.amount as varchar), m.currency, m.last_error) as message,
    'Compare the file with the nominal postings in Sage and correct them there; then approve the settlement again '
    || 'and post.' as action
from outbox.messages as m
where m.status = 'held' and m.hold_code = 'JOURNAL_DIFFERS'
