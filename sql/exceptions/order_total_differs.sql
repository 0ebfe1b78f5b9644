-- ORDER_TOTAL_DIFFERS: a Sage order has another total than the one that was sent. One row per order.
select
    'ORDER_TOTAL_DIFFERS' as code,
    'high' as severity,
    false as blocking,
    'finance' as owner,
    'document' as entity_type,
    m.message_key as entity_id,
    cast(null as varchar) as settlement_key,
    m.order_id,
    abs(s.gross - m.amount) as amount_at_risk,
    m.currency,
    2 as due_days,
    format(
        'Sage order {} ({}) comes to {}, the buyer paid {} {}.',
        s.document_no, m.remote_reference, cast(s.gross as varchar), cast(m.amount as varchar), m.currency
    ) as message,
    'If many differ, the Sage user of the bridge lacks the right to set prices. If it is one, somebody changed it: '
    || 'correct the order in Sage before it is invoiced.' as action
from outbox.messages as m
inner join raw.sage_orders as s on m.remote_id = cast(s.id as varchar)
where m.kind = 'sop_order' and m.status = 'delivered' and s.gross <> m.amount and s.status <> 'Cancelled'
