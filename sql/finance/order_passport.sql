-- Every leg of every order, from the buyer's click to the bank: one row per leg. `amount` is positive where it is what
-- the buyer pays or the seller gets, in `currency`; times UTC. A settlement's fees of the order are one leg.
select
    order_id,
    1 as step,
    'ordered' as leg,
    'Amazon order' as document,
    order_id as reference,
    purchased_at as happened_at,
    order_total as amount,
    currency,
    lower(status) as status
from core.core__orders
union all by name
select
    order_id,
    2 as step,
    'sent' as leg,
    case when fulfilment = 'AFN' then 'sent by Amazon' else 'sent by us' end as document,
    coalesce(ship_country, '') as reference,
    shipped_at as happened_at,
    order_total as amount,
    currency,
    'sent' as status
from core.core__orders
where shipped_at is not null
union all by name
select
    c.order_id,
    3 as step,
    'Sage order' as leg,
    case when m.document = 'daily_order' then 'daily sales order' else 'sales order' end as document,
    coalesce(s.document_no, m.remote_reference) as reference,
    coalesce(m.delivered_at, m.created_at) as happened_at,
    c.gross as amount,
    m.currency,
    case when m.status = 'delivered' then coalesce(lower(s.status), 'delivered') else m.status end as status
from outbox.covered_orders as c
inner join outbox.messages as m on c.message_key = m.message_key and m.document in ('order', 'daily_order')
left join raw.sage_orders as s on m.remote_id = cast(s.id as varchar)
where m.status <> 'superseded' or m.remote_id is not null
union all by name
select
    b.order_id,
    4 as step,
    'Sage invoice' as leg,
    'sales invoice' as document,
    i.invoice_no as reference,
    cast(i.invoiced_on as timestamp) as happened_at,
    b.gross as amount,
    b.currency,
    case
        when e.outstanding is null then 'not read yet'
        when e.outstanding = 0 then 'paid'
        when e.outstanding = e.gross then 'open'
        else 'paid in part'
    end as status
from core.core__booked_orders as b
inner join raw.sage_order_invoices as i on b.sage_order_id = i.order_id
left join raw.sage_sales_entries as e on i.invoice_no = e.reference and b.customer_id = e.customer_id and e.sign = 1
union all by name
select
    order_id,
    5 as step,
    case when kind = 'Refund' then 'refund told' else 'held by Amazon' end as leg,
    'money event' as document,
    transaction_id as reference,
    posted_at as happened_at,
    amount,
    currency,
    lower(status) as status
from raw.amazon_transactions
where kind = 'Refund' or status = 'DEFERRED'
union all by name
select
    t.order_id,
    6 as step,
    case
        when l.document in ('customer_receipts', 'sales') then 'settled'
        when l.document in ('customer_refunds', 'refunds') then 'refunded'
        when l.document in ('customer_chargebacks', 'chargebacks') then 'charged back'
        else 'fees'
    end as leg,
    'settlement' as document,
    s.settlement_id as reference,
    max(t.posted_at) as happened_at,
    cast(sum(l.amount) as decimal(18, 2)) as amount,
    s.currency,
    any_value(x.status) as status
from core.core__settlement_lines as l
inner join core.core__settlements as s on l.settlement_key = s.settlement_key
inner join staging.stg_amazon__settlement_lines as t
    on s.document_sha256 = t.document_sha256 and l.line_number = t.line_number and l.part = t.part
left join core.core__settlement_status as x on l.settlement_key = x.settlement_key
where t.order_id is not null and l.document is not null
group by all
union all by name
select
    order_id,
    7 as step,
    'credited' as leg,
    replace(document, '_', ' ') as document,
    remote_reference as reference,
    coalesce(delivered_at, created_at) as happened_at,
    -amount as amount,
    currency,
    status
from outbox.messages
where document in ('credit_note', 'sales_return', 'rounding') and status <> 'superseded'
union all by name
select
    m.order_id,
    7 as step,
    'credited' as leg,
    'credit note of the return' as document,
    i.invoice_no as reference,
    cast(i.invoiced_on as timestamp) as happened_at,
    cast(null as decimal(18, 2)) as amount,
    m.currency,
    'posted' as status
from outbox.messages as m
inner join raw.sage_order_invoices as i on m.remote_id = cast(i.order_id as varchar)
where m.document = 'sales_return' and m.status = 'delivered'
union all by name
select
    order_id,
    8 as step,
    'goods back' as leg,
    seller_sku || ' x ' || returned_units as document,
    return_key as reference,
    cast(returned_on as timestamp) as happened_at,
    cast(null as decimal(18, 2)) as amount,
    cast(null as varchar) as currency,
    lower(disposition) as status
from raw.amazon_returns
