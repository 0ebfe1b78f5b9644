-- SKU_UNMATCHED: orders wait because Sage has no stock item for a seller SKU. One row per SKU.
select
    'SKU_UNMATCHED' as code,
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
        'The SKU {} on {} is no stock item in Sage{}: {} wait; the first must ship by {}.',
        p.about, o.marketplace, coalesce(' (' || nullif(any_value(p.detail), '') || ' is not there)', ''),
        case when count(distinct p.order_id) = 1 then '1 order' else count(distinct p.order_id) || ' orders' end,
        coalesce(strftime(min(o.ship_by_at), '%d %b %H:%M') || ' UTC', 'an unknown time')
    ) as message,
    'Add it in Sage under the same code, or a line with its stock code to sku_aliases.csv. The orders then go on by '
    || 'themselves.' as action
from core.core__order_problems as p
inner join core.core__orders as o on p.order_id = o.order_id
where p.code = 'SKU_UNMATCHED'
group by o.account, o.marketplace, p.about, o.currency
