-- Amazon orders that Sage has, and by which Sage order: one row per Amazon order and Sage order. `gross` is what of the
-- Sage order is this order's, VAT inside, in `currency`; a daily order is for many. Orders that somebody entered in
-- Sage by hand under Amazon's number and we found there are among them.
select
    c.order_id,
    c.message_key,
    m.document,
    c.gross,
    m.currency,
    try_cast(m.remote_id as bigint) as sage_order_id,
    s.customer_id,
    s.document_no,
    s.status as sage_status,
    coalesce(s.status = 'Cancelled', false) as is_cancelled,
    m.payload
from outbox.covered_orders as c
inner join outbox.messages as m on c.message_key = m.message_key and m.document in ('order', 'daily_order')
left join raw.sage_orders as s on m.remote_id = cast(s.id as varchar)
where m.status = 'delivered' or m.remote_id is not null
