-- POSTING_REJECTED: Sage, or our own check before it, said no to a document. One row per document.
select
    'POSTING_REJECTED' as code,
    'high' as severity,
    false as blocking,
    'finance' as owner,
    'document' as entity_type,
    m.message_key as entity_id,
    m.settlement_key,
    m.order_id,
    m.amount as amount_at_risk,
    m.currency,
    1 as due_days,
    format(
        '{} ({} {} of {}) was not booked: {}',
        m.remote_reference,
        cast(m.amount as varchar),
        m.currency,
        coalesce('settlement ' || s.settlement_id, 'order ' || m.order_id, m.document),
        m.last_error
    ) as message,
    'Correct what Sage names, in Sage or in the rule files, then approve it again and post. '
    || 'The other documents went on.' as action
from outbox.messages as m
left join core.core__settlements as s on m.settlement_key = s.settlement_key
where m.status = 'rejected'
