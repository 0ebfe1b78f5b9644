-- What Sage's customers for Amazon's sites owe and have paid too much, by order where it can be told. One row per open
-- entry of the sales ledger, as of the last reading; `outstanding` is positive where the customer owes.
with orders as (
    select distinct
        s.id as sage_order_id,
        c.order_id,
        m.document
    from outbox.covered_orders as c
    inner join outbox.messages as m on c.message_key = m.message_key and m.document in ('order', 'daily_order')
    inner join raw.sage_orders as s on m.remote_id = cast(s.id as varchar)
),

invoiced as (
    select
        i.invoice_no,
        string_agg(distinct o.order_id, ', ' order by o.order_id) as orders,
        count(distinct o.order_id) as order_count
    from raw.sage_order_invoices as i
    inner join orders as o on i.order_id = o.sage_order_id
    group by i.invoice_no
)

select
    e.customer_id,
    e.kind,
    e.reference,
    e.second_reference,
    e.transaction_date,
    e.gross * e.sign as gross,
    e.outstanding * e.sign as outstanding,
    case when i.order_count = 1 then i.orders else e.second_reference end as order_id,
    coalesce(i.order_count, 0) as orders
from raw.sage_sales_entries as e
left join invoiced as i on e.reference = i.invoice_no
where e.outstanding <> 0
order by e.transaction_date, e.id
