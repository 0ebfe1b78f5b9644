-- What Sage's customers for Amazon's sites owe and have paid too much, by order where it can be told. One row per open
-- entry of the sales ledger, as of the last reading; `outstanding` is positive where the customer owes.
with documents as (
    select
        sage_order_id as document_id,
        1 as sign,
        order_id
    from core.core__booked_orders
    union
    select
        try_cast(m.remote_id as bigint) as document_id,
        -1 as sign,
        m.order_id
    from outbox.messages as m
    where m.document = 'sales_return' and m.status = 'delivered'
),

invoiced as (
    select
        i.invoice_no,
        d.sign,
        string_agg(distinct d.order_id, ', ' order by d.order_id) as orders,
        count(distinct d.order_id) as order_count
    from raw.sage_order_invoices as i
    inner join documents as d on i.order_id = d.document_id
    group by i.invoice_no, d.sign
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
left join invoiced as i on e.reference = i.invoice_no and e.sign = i.sign
where e.outstanding <> 0
order by e.transaction_date, e.id
