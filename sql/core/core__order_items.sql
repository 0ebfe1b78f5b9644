-- Items of orders with their VAT: Amazon's own figure where it shows one, else the category of the Sage product and
-- where the goods go. One row per item; amounts for the whole quantity, VAT inside, in the order's currency.
-- What Amazon withholds and pays itself is not the seller's: `due_gross` is without it.
with matched as (
    select
        account,
        marketplace,
        seller_sku,
        count(*) as parts,
        bool_and(is_in_sage) as is_in_sage,
        min(tax_code) as tax_code,
        count(distinct tax_code) > 1 as has_mixed_tax,
        string_agg(stock_code, ', ' order by stock_code) as stock_codes
    from core.core__sku_matches
    group by account, marketplace, seller_sku
),

-- Sage's tax code of a product says which kind of supply it is.
categories as (
    select
        v.sage_tax_code as tax_code,
        min(v.vat_treatment) as vat_treatment
    from control.vat_treatments as v
    where v.vat_treatment in ('uk_standard', 'uk_reduced', 'uk_zero', 'exempt') and v.sage_tax_code <> ''
    group by v.sage_tax_code
),

-- Sage's tax code of what is no supply.
no_supply as (
    select arg_max(v.sage_tax_code, v.valid_from) as sage_tax_code
    from control.vat_treatments as v
    where v.vat_treatment = 'outside_scope'
),

placed as (
    select
        i.*,
        o.account,
        o.marketplace,
        o.fulfilment,
        o.owner,
        o.is_due,
        o.region,
        o.route_treatment,
        o.ship_country,
        o.purchased_day,
        coalesce(o.shipped_day, o.purchased_day) as supply_day,
        m.stock_codes,
        coalesce(m.is_in_sage, false) as is_matched,
        coalesce(m.tax_code, '') as product_tax_code,
        coalesce(m.has_mixed_tax, false) as has_mixed_tax,
        c.vat_treatment as category,
        o.route_treatment in ('uk_standard', 'uk_reduced', 'uk_zero', 'exempt') as is_uk_route,
        max(coalesce(i.vat, 0)) over (partition by i.order_id) > 0 as amazon_calculates
    from raw.amazon_order_items as i
    inner join core.core__orders as o on i.order_id = o.order_id
    left join matched as m
        on o.account = m.account and o.marketplace = m.marketplace and i.seller_sku = m.seller_sku
    left join categories as c on m.tax_code = c.tax_code
    -- A cancelled item of an order that goes on has neither units nor money.
    where i.quantity > 0 or coalesce(i.gross, 0) <> 0
),

-- Which rate Amazon's own figure is nearest to, where it shows VAT on goods from UK stock.
shown as (
    select
        p.order_id,
        p.order_item_id,
        arg_min(v.vat_treatment, abs(vat_inside(p.gross, v.rate_bp) - p.vat)) as vat_treatment,
        min(abs(vat_inside(p.gross, v.rate_bp) - p.vat)) as off_by
    from placed as p
    inner join control.vat_treatments as v
        on
            v.vat_treatment in ('uk_standard', 'uk_reduced')
            and p.supply_day between v.valid_from and v.valid_to
    where p.vat > 0 and p.is_uk_route and not p.is_withheld
    group by p.order_id, p.order_item_id
),

treated as (
    select
        p.*,
        case
            when p.is_withheld
                then
                    case
                        when p.route_treatment like 'marketplace\_%' escape '\' then p.route_treatment
                        when p.region = 'GB' then 'marketplace_zero'
                        when not p.is_uk_route then p.route_treatment
                    end
            when not p.is_uk_route then p.route_treatment
            when s.vat_treatment is not null then s.vat_treatment
            when p.ship_country not in ('GB', 'IM') then 'export_zero'
            else p.category
        end as vat_treatment,
        s.vat_treatment as shown_treatment,
        coalesce(s.off_by, 0) as shown_off_by
    from placed as p
    left join shown as s on p.order_id = s.order_id and p.order_item_id = s.order_item_id
)

select
    t.order_id,
    t.order_item_id,
    t.account,
    t.marketplace,
    t.fulfilment,
    t.owner,
    t.is_due,
    t.supply_day,
    t.seller_sku,
    t.title,
    t.quantity,
    t.currency,
    t.stock_codes,
    t.is_matched,
    t.has_mixed_tax,
    t.product_tax_code,
    t.category,
    t.is_uk_route,
    t.is_withheld,
    t.vat_treatment,
    -- A company that is not registered has no VAT in its prices: Sage must not work any out.
    case when t.vat_treatment in ('uk_standard', 'uk_reduced') and v.box_vat = '' then 0 else v.rate_bp end as rate_bp,
    case
        when t.vat_treatment in ('uk_standard', 'uk_reduced') and v.box_vat = '' then n.sage_tax_code
        else coalesce(v.sage_tax_code, '')
    end as sage_tax_code,
    coalesce(v.box_vat, '') as box_vat,
    a.account_key,
    cast(t.gross - case when t.is_withheld then coalesce(t.vat, 0) else 0 end as decimal(18, 2)) as due_gross,
    cast(t.postage - case when t.is_withheld then t.postage_vat else 0 end as decimal(18, 2)) as postage,
    cast(t.wrap - case when t.is_withheld then t.wrap_vat else 0 end as decimal(18, 2)) as wrap,
    case
        when t.is_withheld or v.rate_bp is null or coalesce(v.box_vat, '') = '' then 0.00
        when t.shown_treatment is not null then t.vat
        else vat_inside(t.gross, v.rate_bp)
    end as vat,
    t.gross is null as has_no_amount,
    t.is_uk_route
    and not t.is_withheld
    and t.is_matched
    and t.category is not null
    and (
        t.shown_off_by > 0.01
        or (t.shown_treatment is not null and t.shown_treatment <> t.category)
        or (t.shown_treatment is null and t.amazon_calculates and coalesce(v.rate_bp, 0) > 0 and t.gross > 0)
    ) as is_tax_doubtful,
    coalesce(t.vat, 0.00) as amazon_vat
from treated as t
left join control.vat_treatments as v
    on t.vat_treatment = v.vat_treatment and t.supply_day between v.valid_from and v.valid_to
left join control.sales_accounts as a on t.vat_treatment = a.vat_treatment
cross join no_supply as n
