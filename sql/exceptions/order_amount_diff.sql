-- ORDER_AMOUNT_DIFF: all of an order's money is here and it is not what the Sage order says. One row per order.
-- Nothing is written off by itself: what misses stays open on the customer account.
with paid as (
    select
        order_id,
        currency,
        sum(amount) as amount,
        string_agg(distinct settlement_id, ', ' order by settlement_id) as settlements
    from core.core__settled_orders
    where document = 'customer_receipts'
    group by order_id, currency
),

booked as (
    select
        order_id,
        sum(gross) as gross
    from core.core__booked_orders
    group by order_id
)

select
    'ORDER_AMOUNT_DIFF' as code,
    'medium' as severity,
    false as blocking,
    'finance' as owner,
    'order' as entity_type,
    p.order_id as entity_id,
    cast(null as varchar) as settlement_key,
    p.order_id,
    abs(b.gross - p.amount) as amount_at_risk,
    p.currency,
    10 as due_days,
    format(
        'Order {} is {} {} in Sage, settlement {} pays {}: {} {}.',
        p.order_id, cast(b.gross as varchar), p.currency, p.settlements, cast(p.amount as varchar),
        cast(abs(b.gross - p.amount) as varchar), case when b.gross > p.amount then 'is missing' else 'is too much' end
    ) as message,
    'Compare the order in Seller Central. If Amazon is right, credit or invoice the difference in Sage at the VAT of '
    || 'the order; if not, open a case.' as action
from paid as p
inner join booked as b on p.order_id = b.order_id
cross join control.order_rules as r
where
    abs(b.gross - p.amount) > r.tolerance
    -- Money that Amazon still holds back may be the rest of it.
    and not exists (
        select 1
        from raw.amazon_transactions as t
        where t.order_id = p.order_id and t.kind = 'Shipment' and t.status = 'DEFERRED'
    )
