-- Which Sage stock items each seller SKU is: the one of the same code, else what sku_aliases.csv says. `units` is how
-- many of the stock item one SKU holds. A bundle has a row per stock item. SKUs without a match are not here.
with skus as (
    select distinct
        o.account,
        o.marketplace,
        i.seller_sku
    from raw.amazon_order_items as i
    inner join raw.amazon_orders as o on i.order_id = o.order_id
),

exact as (
    select
        s.account,
        s.marketplace,
        s.seller_sku,
        s.seller_sku as stock_code,
        1 as units
    from skus as s
    where s.seller_sku in (select p.code from raw.sage_products as p)
),

named as (
    select
        a.account,
        a.marketplace,
        a.seller_sku,
        a.stock_code,
        a.units_per_sku as units
    from control.sku_aliases as a
    where
        (a.account, a.marketplace, a.seller_sku) not in (
            select (e.account, e.marketplace, e.seller_sku) from exact as e
        )
)

select
    f.account,
    f.marketplace,
    f.seller_sku,
    f.stock_code,
    f.units,
    p.tax_code,
    p.name as stock_name,
    p.id is not null as is_in_sage
from (
    select * from exact
    union all by name
    select * from named
) as f
left join raw.sage_products as p on f.stock_code = p.code
