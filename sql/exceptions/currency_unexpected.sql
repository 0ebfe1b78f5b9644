-- CURRENCY_UNEXPECTED: an order is in another currency than its Amazon site sells in. One row per order.
select
    'CURRENCY_UNEXPECTED' as code,
    'high' as severity,
    false as blocking,
    'finance' as owner,
    'order' as entity_type,
    p.order_id as entity_id,
    cast(null as varchar) as settlement_key,
    p.order_id,
    p.amount as amount_at_risk,
    o.currency,
    2 as due_days,
    format('Order {} on {} is in {}.', p.order_id, o.marketplace, p.detail) as message,
    'Decide which Sage customer takes it, and enter it in Sage by hand under the Amazon order number.' as action
from core.core__order_problems as p
inner join core.core__orders as o on p.order_id = o.order_id
where p.code = 'CURRENCY_UNEXPECTED'
