-- TAX_MISMATCH: the VAT that Amazon shows on an order is not what the Sage product says. One row per SKU.
-- The order went out with Amazon's VAT where it shows any, else with the product's: doubt never lowers the VAT owed.
select
    'TAX_MISMATCH' as code,
    'high' as severity,
    false as blocking,
    'tax' as owner,
    'sku' as entity_type,
    concat_ws('/', i.account, i.marketplace, i.seller_sku) as entity_id,
    cast(null as varchar) as settlement_key,
    case when count(distinct i.order_id) = 1 then min(i.order_id) end as order_id,
    sum(abs(i.amazon_vat - i.vat) + case when i.vat_treatment <> i.category then i.vat else 0 end) as amount_at_risk,
    i.currency,
    5 as due_days,
    format(
        'Amazon shows {} {} VAT on {} of {}, the Sage product is {}: {} orders, booked as {}.',
        cast(sum(i.amazon_vat) as varchar), i.currency, i.seller_sku, cast(sum(i.due_gross) as varchar),
        any_value(i.category), count(distinct i.order_id), any_value(i.vat_treatment)
    ) as message,
    'Compare the product tax code in Seller Central with the tax code of the stock item in Sage, and correct the wrong '
    || 'one. Orders in Sage stay as they are: correct their VAT there if need be.' as action
from core.core__order_items as i
where i.is_tax_doubtful and i.is_due and i.owner in ('sop', 'sop_daily')
group by i.account, i.marketplace, i.seller_sku, i.currency
