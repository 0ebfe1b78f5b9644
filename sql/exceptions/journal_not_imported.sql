-- JOURNAL_NOT_IMPORTED: a journal file waits to be imported into Sage. One row per file.
select
    'JOURNAL_NOT_IMPORTED' as code,
    'medium' as severity,
    false as blocking,
    'finance' as owner,
    'document' as entity_type,
    m.message_key as entity_id,
    m.settlement_key,
    cast(null as varchar) as order_id,
    m.amount as amount_at_risk,
    m.currency,
    3 as due_days,
    format(
        'The journal {} ({} {} debit and credit) was written {} and is not in Sage yet.',
        m.remote_reference, cast(m.amount as varchar), m.currency, strftime(m.sent_at, '%d %b %Y')
    ) as message,
    format('Import outgoing/journals/{}.csv in Sage 200, then run `amazon-sage post`.', m.remote_reference) as action
from outbox.messages as m
cross join control.as_of as a
where m.status = 'sending' and m.kind = 'journal_file' and m.sent_at < a.moment - interval 1 day
