-- ORDER_MISSING: Amazon's daily report has an order that the order feed never told us. One row per order.
select
    'ORDER_MISSING' as code,
    'high' as severity,
    false as blocking,
    'engineering' as owner,
    'order' as entity_type,
    d.order_id as entity_id,
    cast(null as varchar) as settlement_key,
    d.order_id,
    0.00 as amount_at_risk,
    cast(null as varchar) as currency,
    1 as due_days,
    format(
        'Order {} ({}) of {} is in the report of all orders and was not told otherwise.',
        d.order_id, d.status, strftime(d.purchased_at, '%d %b %Y %H:%M') || ' UTC'
    ) as message,
    'It is asked for by itself at the next daily reading. If it stays, look at the order in Seller Central and enter '
    || 'it in Sage by hand under the Amazon order number.' as action
from raw.reported_orders as d
left join raw.amazon_orders as o on d.order_id = o.order_id
cross join control.profile as p
where
    o.order_id is null
    and local_day(d.purchased_at, p.timezone) >= (
        select min(r.valid_from) from control.routes as r
        where r.owner in ('sop', 'sop_daily')
    )
