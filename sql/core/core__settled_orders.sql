-- What settlements brought and took for orders that Sage orders own: one row per settlement, period, document, order
-- and refund. `amount` is towards the seller, in the settlement's currency; `refund_id` is empty for sales.
select
    l.settlement_key,
    s.account,
    s.settlement_id,
    s.currency,
    s.end_day,
    l.period,
    l.document,
    t.order_id,
    case
        when l.document = 'customer_receipts' then ''
        else coalesce(t.adjustment_id, 'settlement ' || s.settlement_id)
    end as refund_id,
    cast(sum(l.amount) as decimal(18, 2)) as amount,
    min(l.posted_day) as posted_day
from core.core__settlement_lines as l
inner join core.core__settlements as s on l.settlement_key = s.settlement_key
inner join staging.stg_amazon__settlement_lines as t
    on s.document_sha256 = t.document_sha256 and l.line_number = t.line_number and l.part = t.part
where l.document in ('customer_receipts', 'customer_refunds', 'customer_chargebacks')
group by all
