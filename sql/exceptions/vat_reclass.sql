-- VAT_RECLASS: Amazon re-works the VAT of an order for which a Sage order declared VAT. One row per order.
-- The correction itself nets to nil and books nothing; whose the VAT is may have changed.
with declared as (
    select
        order_id,
        max(cast(payload ->> '$.vat' as decimal(18, 2))) as vat
    from core.core__booked_orders
    where document = 'order'
    group by order_id
)

select
    'VAT_RECLASS' as code,
    'high' as severity,
    false as blocking,
    'tax' as owner,
    'order' as entity_type,
    t.order_id as entity_id,
    cast(null as varchar) as settlement_key,
    t.order_id,
    max(d.vat) as amount_at_risk,
    s.currency,
    20 as due_days,
    format(
        'Amazon re-worked the VAT of order {} in settlement {}; Sage declared {} {} for it.',
        t.order_id, string_agg(distinct s.settlement_id, ', '), cast(max(d.vat) as varchar), s.currency
    ) as message,
    'Look at the VAT report of Seller Central: if Amazon accounts for this VAT now, credit and invoice the order again '
    || 'in Sage at the rate for supplies to Amazon.' as action
from core.core__settlement_lines as l
inner join core.core__settlements as s on l.settlement_key = s.settlement_key
inner join staging.stg_amazon__settlement_lines as t
    on s.document_sha256 = t.document_sha256 and l.line_number = t.line_number and l.part = t.part
inner join declared as d on t.order_id = d.order_id and d.vat > 0
where l.row_group = 'retrocharge' and l.amount <> 0
group by t.order_id, s.currency
