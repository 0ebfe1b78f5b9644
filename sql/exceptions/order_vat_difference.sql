-- ORDER_VAT_DIFFERENCE: Sage's VAT per rate misses what the buyer paid by more than the tolerance. One row per order.
select
    'ORDER_VAT_DIFFERENCE' as code,
    'medium' as severity,
    false as blocking,
    'finance' as owner,
    'order' as entity_type,
    p.order_id as entity_id,
    cast(null as varchar) as settlement_key,
    p.order_id,
    p.amount as amount_at_risk,
    o.currency,
    2 as due_days,
    format('Order {} waits: {}', p.order_id, p.detail) as message,
    'Raise orders.tolerance in the profile, or enter the order in Sage by hand under the Amazon order number.' as action
from core.core__order_problems as p
inner join core.core__orders as o on p.order_id = o.order_id
where p.code = 'ORDER_VAT_DIFFERENCE'
