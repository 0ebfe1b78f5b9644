-- PERIOD_CLOSED: a document waits because Sage does not take its date. One row per document.
select
    'PERIOD_CLOSED' as code,
    'high' as severity,
    false as blocking,
    'finance' as owner,
    'document' as entity_type,
    m.message_key as entity_id,
    m.settlement_key,
    m.order_id,
    m.amount as amount_at_risk,
    m.currency,
    5 as due_days,
    format(
        '{} ({} {} of {}) waits: {}',
        m.remote_reference,
        cast(m.amount as varchar),
        m.currency,
        coalesce('settlement ' || s.settlement_id, 'order ' || m.order_id, m.document),
        m.last_error
    ) as message,
    'Open the period in Sage, or set closed_period = "next_open" in the profile, then approve it again '
    || 'and post.' as action
from outbox.messages as m
left join core.core__settlements as s on m.settlement_key = s.settlement_key
where m.status = 'held' and m.hold_code = 'PERIOD_CLOSED'
