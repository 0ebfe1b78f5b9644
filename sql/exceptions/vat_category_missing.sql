-- VAT_CATEGORY_MISSING: orders wait because the VAT category of a product is not known. One row per SKU.
select
    'VAT_CATEGORY_MISSING' as code,
    'high' as severity,
    false as blocking,
    'product data' as owner,
    'sku' as entity_type,
    concat_ws('/', o.account, o.marketplace, p.about) as entity_id,
    cast(null as varchar) as settlement_key,
    case when count(distinct p.order_id) = 1 then min(p.order_id) end as order_id,
    sum(p.amount) as amount_at_risk,
    o.currency,
    1 as due_days,
    format(
        'The VAT of the SKU {} on {} is not known, because {}: {} wait; the first must ship by {}.',
        p.about, o.marketplace, any_value(p.detail), count(distinct p.order_id),
        coalesce(strftime(min(o.ship_by_at), '%d %b %H:%M') || ' UTC', 'an unknown time')
    ) as message,
    'Give the stock item its tax code in Sage. The orders then go on by themselves.' as action
from core.core__order_problems as p
inner join core.core__orders as o on p.order_id = o.order_id
where p.code = 'VAT_CATEGORY_MISSING'
group by o.account, o.marketplace, p.about, o.currency
