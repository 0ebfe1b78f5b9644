-- POSTING_UNPROVEN: a document was sent and Sage has not yet shown whether it is there. One row per document.
select
    'POSTING_UNPROVEN' as code,
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
    format(
        '{} ({} {}) was sent at {} UTC; its answer is lost and Sage could not be asked since.',
        m.remote_reference, cast(m.amount as varchar), m.currency, strftime(m.sent_at, '%d %b %Y %H:%M')
    ) as message,
    'Run `amazon-sage post` when Sage answers again: it looks in Sage before it sends anything.' as action
from outbox.messages as m
cross join control.as_of as a
where m.status = 'sending' and m.system = 'sage' and m.sent_at < a.moment - interval 1 hour
