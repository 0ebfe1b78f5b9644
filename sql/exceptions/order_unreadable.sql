-- ORDER_UNREADABLE: what Amazon tells of an order cannot be read. One row per order.
select
    'ORDER_UNREADABLE' as code,
    'high' as severity,
    false as blocking,
    'engineering' as owner,
    'order' as entity_type,
    u.order_id as entity_id,
    cast(null as varchar) as settlement_key,
    u.order_id,
    0.00 as amount_at_risk,
    cast(null as varchar) as currency,
    1 as due_days,
    format('Order {} of {} was set aside: {}', u.order_id, u.account, u.reason) as message,
    'Look at the order in Seller Central; until it can be read, enter it in Sage by hand under the Amazon order number.'
        as action
from raw.unreadable_orders as u
