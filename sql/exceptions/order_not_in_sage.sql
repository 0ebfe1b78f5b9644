-- ORDER_NOT_IN_SAGE: Amazon settled an order that a Sage order should own, and Sage has none. One row per order.
-- Its money stays on the customer account, unallocated; it is never booked as sales. A Sage order that somebody
-- cancelled there is none.
with in_sage as (
    select
        order_id,
        min(document_no) as document_no,
        bool_and(is_cancelled) as is_cancelled
    from core.core__booked_orders
    group by order_id
),

settled as (
    select
        order_id,
        account,
        currency,
        sum(amount) as amount,
        string_agg(distinct settlement_id, ', ' order by settlement_id) as settlements
    from core.core__settled_orders
    where document = 'customer_receipts'
    group by order_id, account, currency
)

select
    'ORDER_NOT_IN_SAGE' as code,
    'high' as severity,
    false as blocking,
    'finance' as owner,
    'order' as entity_type,
    s.order_id as entity_id,
    cast(null as varchar) as settlement_key,
    s.order_id,
    s.amount as amount_at_risk,
    s.currency,
    5 as due_days,
    format(
        'Settlement {} pays {} {} for order {}, which is no order in Sage{}.',
        s.settlements, cast(s.amount as varchar), s.currency, s.order_id,
        case
            when n.is_cancelled then '; its sales order ' || n.document_no || ' was cancelled there'
            when o.order_id is null then '; it was not among the orders that Amazon told us either'
            else ''
        end
    ) as message,
    'If it waits for a SKU or an address, clear that first. If it was bought before the first day of the route, enter '
    || 'it in Sage by hand under the Amazon order number, or set orders.since in the profile to an earlier day.'
        as action
from settled as s
left join core.core__orders as o on s.order_id = o.order_id
left join in_sage as n on s.order_id = n.order_id
where
    s.amount > 0
    -- Where orders are not read, somebody else brings them into Sage.
    and exists (
        select 1 from control.watermarks as w
        where w.source = 'amazon_orders/' || s.account
    )
    and coalesce(n.is_cancelled, true)
    and s.order_id not in (
        select g.customer_document_no from raw.sage_orders as g
        where g.status <> 'Cancelled'
    )
