-- ORDER_CANCELLED: Amazon cancelled an order that Sage has and has not invoiced. One row per order.
select
    'ORDER_CANCELLED' as code,
    'high' as severity,
    false as blocking,
    'operations' as owner,
    'order' as entity_type,
    o.order_id as entity_id,
    cast(null as varchar) as settlement_key,
    o.order_id,
    m.amount as amount_at_risk,
    m.currency,
    1 as due_days,
    format(
        'Order {} was cancelled at Amazon on {}; Sage has it as {} ({}, despatch {}).',
        o.order_id, strftime(o.updated_at, '%d %b %H:%M') || ' UTC', coalesce(s.document_no, m.remote_id),
        lower(coalesce(s.status, 'not read yet')), lower(coalesce(s.despatch_status, 'unknown'))
    ) as message,
    'Do not send the goods. Cancel the order in Sage; if it was despatched already, call the parcel back.' as action
from outbox.messages as m
inner join core.core__orders as o on m.order_id = o.order_id and m.document = 'order'
left join raw.sage_orders as s on m.remote_id = cast(s.id as varchar)
where m.status in ('delivered', 'sending') and o.status = 'CANCELLED' and coalesce(s.status, '') <> 'Cancelled'
