-- ADDRESS_INCOMPLETE: Amazon tells no address that goods can be sent to. One row per order.
select
    'ADDRESS_INCOMPLETE' as code,
    'high' as severity,
    false as blocking,
    'operations' as owner,
    'order' as entity_type,
    p.order_id as entity_id,
    cast(null as varchar) as settlement_key,
    p.order_id,
    p.amount as amount_at_risk,
    o.currency,
    1 as due_days,
    format(
        'Order {} waits: {} Ship by {}.',
        p.order_id, p.detail, coalesce(strftime(o.ship_by_at, '%d %b %H:%M') || ' UTC', 'unknown')
    ) as message,
    'Look at the order in Seller Central. If the address is there, check that the app has the role that shows it; else '
    || 'ask the buyer.' as action
from core.core__order_problems as p
inner join core.core__orders as o on p.order_id = o.order_id
where p.code = 'ADDRESS_INCOMPLETE'
