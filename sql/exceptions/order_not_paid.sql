-- ORDER_NOT_PAID: an order was sent long ago, Sage has it, and no settlement brought its money. One row per order.
-- What Amazon says it still holds back is not late.
with c as (
    select
        order_id,
        sum(gross) as gross
    from core.core__booked_orders
    group by order_id
)

select
    'ORDER_NOT_PAID' as code,
    'medium' as severity,
    false as blocking,
    'finance' as owner,
    'order' as entity_type,
    o.order_id as entity_id,
    cast(null as varchar) as settlement_key,
    o.order_id,
    c.gross as amount_at_risk,
    o.currency,
    10 as due_days,
    format(
        'Order {} over {} {} was sent {} days ago and is in no settlement.',
        o.order_id, cast(c.gross as varchar), o.currency, datediff('day', o.shipped_at, a.moment)
    ) as message,
    'Look at the order under Payments in Seller Central. If Amazon will not pay it, open a case, or credit it in Sage.'
        as action
from core.core__orders as o
inner join c on o.order_id = c.order_id
cross join control.as_of as a
cross join control.order_rules as r
where
    o.status = 'SHIPPED'
    and c.gross > 0
    and datediff('day', o.shipped_at, a.moment) > r.unpaid_after_days
    and o.order_id not in (select s.order_id from core.core__settled_orders as s)
    and not exists (
        select 1
        from raw.amazon_transactions as t
        where
            t.order_id = o.order_id
            and t.kind = 'Shipment'
            -- Held back; or let go, and the settlement that has it is not made yet.
            and (t.status = 'DEFERRED' or (t.status = 'RELEASED' and t.posted_at > a.moment - interval 20 day))
    )
