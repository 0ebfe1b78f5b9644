-- ORDER_ROUTE_UNKNOWN: no route says who owns the revenue of an order. One row per order.
select
    'ORDER_ROUTE_UNKNOWN' as code,
    'high' as severity,
    false as blocking,
    'finance' as owner,
    'order' as entity_type,
    p.order_id as entity_id,
    cast(null as varchar) as settlement_key,
    p.order_id,
    p.amount as amount_at_risk,
    o.currency,
    1 as due_days,
    format('Order {} has no route: {}.', p.order_id, p.detail) as message,
    'Add [[routes]] for this account, marketplace, fulfilment and day to the profile.' as action
from core.core__order_problems as p
inner join core.core__orders as o on p.order_id = o.order_id
where p.code = 'ORDER_ROUTE_UNKNOWN'
