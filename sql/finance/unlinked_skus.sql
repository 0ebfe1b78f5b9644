-- Seller SKUs that are no stock item in Sage yet, with what waits for them. One row per account, site and SKU.
-- `alias` is what sku_aliases.csv names where Sage lacks that stock item.
with i as (
    select
        order_id,
        seller_sku,
        any_value(title) as title
    from raw.amazon_order_items
    group by order_id, seller_sku
)

select
    o.account,
    o.marketplace,
    p.about as seller_sku,
    any_value(i.title) as title,
    nullif(any_value(p.detail), '') as alias,
    count(distinct p.order_id) as orders,
    sum(p.amount) as amount,
    o.currency,
    min(o.ship_by_at) as first_ship_by
from core.core__order_problems as p
inner join core.core__orders as o on p.order_id = o.order_id
left join i on p.order_id = i.order_id and p.about = i.seller_sku
where p.code = 'SKU_UNMATCHED'
group by o.account, o.marketplace, p.about, o.currency
order by amount desc, p.about asc
