-- ORDER_INCOMPLETE: what Amazon tells of an order is not enough for a Sage order. One row per order.
select
    'ORDER_INCOMPLETE' as code,
    'medium' as severity,
    false as blocking,
    'operations' as owner,
    'order' as entity_type,
    p.order_id as entity_id,
    cast(null as varchar) as settlement_key,
    p.order_id,
    p.amount as amount_at_risk,
    o.currency,
    1 as due_days,
    format('Order {} waits: {}.', p.order_id, p.detail) as message,
    'Compare it with Seller Central. It goes on by itself when Amazon tells the rest; if the amounts stay odd, enter '
    || 'the order in Sage by hand under the Amazon order number.' as action
from core.core__order_problems as p
inner join core.core__orders as o on p.order_id = o.order_id
where p.code = 'ORDER_INCOMPLETE'
