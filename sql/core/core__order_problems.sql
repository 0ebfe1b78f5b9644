-- Why an order that is due cannot become a Sage order yet. One row per order, cause and thing; the exceptions tell them
-- to people. Orders that Sage has are not here.
with waiting as (
    select o.*
    from core.core__orders as o
    where
        (o.is_due or o.owner is null or o.status = 'UNKNOWN')
        and o.order_id not in (
            select c.order_id
            from outbox.covered_orders as c
            inner join outbox.messages as m on c.message_key = m.message_key
            where m.status in ('delivered', 'sending')
        )
),

items as (
    select
        i.*,
        w.fulfilment as order_fulfilment,
        w.ship_country,
        w.currency as order_currency
    from core.core__order_items as i
    inner join waiting as w on i.order_id = w.order_id
    where i.is_due
)

select
    order_id,
    'SKU_UNMATCHED' as code,
    seller_sku as about,
    coalesce(stock_codes, '') as detail,
    sum(coalesce(due_gross, 0)) as amount
from items
where not is_matched
group by order_id, seller_sku, stock_codes
union all by name
select
    order_id,
    'VAT_CATEGORY_MISSING' as code,
    seller_sku as about,
    case
        when has_mixed_tax then 'its stock items have different tax codes'
        when product_tax_code = '' then 'the stock item has no tax code'
        else 'the tax code ' || product_tax_code || ' of the stock item is no UK rate in vat_treatments.csv'
    end as detail,
    sum(coalesce(due_gross, 0)) as amount
from items
where is_matched and is_uk_route and not is_withheld and (category is null or has_mixed_tax)
group by all
union all by name
select
    order_id,
    'ORDER_VAT_UNRESOLVED' as code,
    seller_sku as about,
    coalesce(vat_treatment, 'no treatment') as detail,
    sum(coalesce(due_gross, 0)) as amount
from items
where
    is_matched
    and (not is_uk_route or is_withheld or (category is not null and not has_mixed_tax))
    and (vat_treatment is null or rate_bp is null or (not is_uk_route and not is_withheld and amazon_vat > 0))
group by all
union all by name
select
    order_id,
    'ORDER_INCOMPLETE' as code,
    '' as about,
    min(case
        when has_no_amount then 'Amazon tells no amount of ' || seller_sku
        when due_gross < 0 then 'the discounts on ' || seller_sku || ' are more than its price'
        when quantity = 0 then 'Amazon tells an amount but no units of ' || seller_sku
        else 'a discount on the postage or the gift wrap of ' || seller_sku || ' is more than its price'
    end) as detail,
    sum(coalesce(due_gross, 0)) as amount
from items
where has_no_amount or due_gross < 0 or quantity = 0 or postage < 0 or wrap < 0 or due_gross < postage + wrap
group by order_id
union all by name
select
    order_id,
    'ORDER_INCOMPLETE' as code,
    '' as about,
    'Amazon has left a part of the order out' as detail,
    coalesce(order_total, 0.00) as amount
from waiting
where
    is_incomplete
    and (is_due or (status = 'UNKNOWN' and region is not null and coalesce(owner, '') <> 'settlement'))
union all by name
select
    w.order_id,
    'ORDER_INCOMPLETE' as code,
    '' as about,
    'Amazon tells no items of it' as detail,
    coalesce(w.order_total, 0.00) as amount
from waiting as w
where w.is_due and not w.is_incomplete and w.order_id not in (select i.order_id from core.core__order_items as i)
union all by name
select
    i.order_id,
    'CURRENCY_UNEXPECTED' as code,
    '' as about,
    min(i.currency) as detail,
    sum(coalesce(i.due_gross, 0)) as amount
from items as i
inner join control.site_currencies as s on i.marketplace = s.marketplace
where i.currency <> s.currency
group by i.order_id
union all by name
select
    order_id,
    'ORDER_ROUTE_UNKNOWN' as code,
    '' as about,
    concat_ws(', ', account, marketplace, nullif(fulfilment, ''), purchased_day) as detail,
    coalesce(order_total, 0.00) as amount
from waiting
where
    owner is null
    and region is not null
    and not is_incomplete
    and status not in ('PENDING', 'PENDING_AVAILABILITY', 'CANCELLED')
union all by name
select
    order_id,
    'ADDRESS_INCOMPLETE' as code,
    '' as about,
    'Amazon tells no address' as detail,
    coalesce(order_total, 0.00) as amount
from waiting
where is_due and fulfilment = 'MFN' and is_waiting and is_recipient_asked and recipient_hash is null
union all by name
select
    p.order_id,
    p.code,
    '' as about,
    p.detail,
    coalesce(w.order_total, 0.00) as amount
from core.document_problems as p
inner join waiting as w on p.order_id = w.order_id
where p.entity_type in ('order', 'daily_order') and w.is_due
