-- Every order with where it stands: at Amazon, in Sage, in the money. One row per order; times UTC, amounts in
-- `currency`, VAT inside. `owner` says who books its revenue; `waits_for` why it is not in Sage yet. No buyer is named.
with booked as (
    select
        c.order_id,
        sum(c.gross) as gross,
        bool_and(m.status = 'delivered' or m.remote_id is not null) as is_in_sage,
        string_agg(distinct coalesce(s.document_no, m.status), ', ') as sage_order,
        string_agg(
            distinct s.status || ', despatch ' || lower(s.despatch_status) || ', invoice ' || lower(s.invoice_status),
            '; '
        ) as sage_status,
        string_agg(distinct i.invoice_no, ', ') as invoice
    from outbox.covered_orders as c
    inner join outbox.messages as m on c.message_key = m.message_key and m.document in ('order', 'daily_order')
    left join raw.sage_orders as s on m.remote_id = cast(s.id as varchar)
    left join raw.sage_order_invoices as i on s.id = i.order_id
    group by c.order_id
),

money as (
    select
        order_id,
        coalesce(sum(amount) filter (where document = 'customer_receipts'), 0.00) as settled,
        coalesce(-sum(amount) filter (where document <> 'customer_receipts'), 0.00) as refunded
    from core.core__settled_orders
    group by order_id
),

reasons as (
    select
        order_id,
        string_agg(distinct code || case when about <> '' then ' (' || about || ')' else '' end, ', ') as waits_for
    from core.core__order_problems
    group by order_id
)

select
    o.order_id,
    o.account,
    o.marketplace,
    o.fulfilment,
    o.owner,
    o.status as amazon_status,
    o.purchased_at,
    o.ship_by_at,
    o.shipped_at,
    o.currency,
    o.order_total,
    b.gross as sage_gross,
    coalesce(b.is_in_sage, false) as is_in_sage,
    b.sage_order,
    b.sage_status,
    b.invoice,
    coalesce(m.settled, 0.00) as settled,
    coalesce(m.refunded, 0.00) as refunded,
    r.waits_for,
    o.ship_country,
    o.is_business
from core.core__orders as o
left join booked as b on o.order_id = b.order_id
left join money as m on o.order_id = m.order_id
left join reasons as r on o.order_id = r.order_id
order by o.purchased_at, o.order_id
