-- Refunds of orders that Sage orders own, with what they are in Sage and whether the goods came back. One row per
-- refund; amounts positive, VAT inside, in `currency`. Stock moves by the goods, never by the money. `sage_document` is
-- a credit note, or a sales return, which is `is_credited` once people in Sage have printed its credit note.
with credited as (
    select
        m.message_key,
        m.document = 'credit_note' or count(i.invoice_no) > 0 as is_credited
    from outbox.messages as m
    left join raw.sage_order_invoices as i
        on m.remote_id = cast(i.order_id as varchar) and m.document = 'sales_return'
    where m.document in ('credit_note', 'sales_return') and m.status = 'delivered'
    group by m.message_key, m.document
),

backs as (
    select
        order_id,
        sum(returned_units) as returned_units,
        string_agg(distinct lower(disposition), ', ' order by lower(disposition)) as disposition,
        max(returned_on) as returned_on
    from raw.amazon_returns
    group by order_id
)

select
    r.account,
    r.order_id,
    r.refund_id,
    min(r.refunded_day) as refunded_on,
    sum(r.gross) as amount,
    r.currency,
    any_value(r.source) as told_by,
    any_value(replace(m.document, '_', ' ')) as sage_document,
    any_value(m.remote_reference) as sage_reference,
    any_value(m.status) as sage_status,
    coalesce(any_value(c.is_credited), false) as is_credited,
    any_value(b.returned_units) as returned_units,
    any_value(b.disposition) as disposition,
    any_value(b.returned_on) as returned_on
from core.core__refunds as r
left join outbox.messages as m
    on concat_ws('/', r.account, 'refund', r.order_id, r.refund_id) = m.message_key and m.status <> 'superseded'
left join credited as c on m.message_key = c.message_key
left join backs as b on r.order_id = b.order_id
group by r.account, r.order_id, r.refund_id, r.currency
order by refunded_on, r.order_id, r.refund_id
