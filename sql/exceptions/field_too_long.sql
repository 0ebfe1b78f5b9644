-- FIELD_TOO_LONG: a part of the delivery address is longer than Sage's field for it. One row per order.
select
    'FIELD_TOO_LONG' as code,
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
        'Order {} waits: {}. Ship by {}.',
        p.order_id, p.detail, coalesce(strftime(o.ship_by_at, '%d %b %H:%M') || ' UTC', 'unknown')
    ) as message,
    'Ask the buyer in Seller Central for a shorter one, or enter the order in Sage by hand under the Amazon order '
    || 'number: it is then found there and not sent again.' as action
from core.core__order_problems as p
inner join core.core__orders as o on p.order_id = o.order_id
where p.code = 'FIELD_TOO_LONG'
