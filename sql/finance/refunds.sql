-- Refunds of orders that Sage orders own, with their credit notes and whether the goods came back. One row per refund;
-- amounts positive, VAT inside, in `currency`. Stock moves by the goods, never by the money.
with backs as (
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
    any_value(m.status) as credit_note_status,
    any_value(m.remote_reference) as credit_note,
    any_value(b.returned_units) as returned_units,
    any_value(b.disposition) as disposition,
    any_value(b.returned_on) as returned_on
from core.core__refunds as r
left join outbox.messages as m
    on concat_ws('/', r.account, 'refund', r.order_id, r.refund_id) = m.message_key and m.status <> 'superseded'
left join backs as b on r.order_id = b.order_id
group by r.account, r.order_id, r.refund_id, r.currency
order by refunded_on, r.order_id, r.refund_id
