-- Amazon's orders with their owner, which the route of the day of purchase decides. One row per order; times UTC,
-- days in the profile's time zone. `is_due`: the order as it stands wants a document in Sage. `shipped_at`: Amazon's
-- first word that it is sent, or its first money event where that is earlier: old orders are told long after their day.
with events as (
    select
        account,
        order_id,
        min(posted_at) as posted_at
    from raw.amazon_transactions
    where kind = 'Shipment'
    group by account, order_id
)

select
    o.order_id,
    o.account,
    o.marketplace,
    o.fulfilment,
    o.status,
    o.purchased_at,
    o.updated_at,
    o.ship_by_at,
    case when o.shipped_at is not null then least(o.shipped_at, e.posted_at) end as shipped_at,
    o.currency,
    o.order_total,
    o.is_business,
    o.is_incomplete,
    m.region,
    r.owner,
    r.vat_treatment as route_treatment,
    r.valid_from as route_from,
    local_day(o.purchased_at, p.timezone) as purchased_day,
    local_day(case when o.shipped_at is not null then least(o.shipped_at, e.posted_at) end, p.timezone) as shipped_day,
    coalesce(nullif(o.ship_country, ''), nullif(d.ship_country, '')) as ship_country,
    w.recipient_hash,
    w.order_id is not null as is_recipient_asked,
    w.erased_at as recipient_erased_at,
    o.status in ('UNSHIPPED', 'PARTIALLY_SHIPPED') as is_waiting,
    case
        when r.owner = 'sop' and o.fulfilment = 'MFN' then o.status in ('UNSHIPPED', 'PARTIALLY_SHIPPED', 'SHIPPED')
        else coalesce(r.owner, '') in ('sop', 'sop_daily') and o.status = 'SHIPPED'
    end as is_due
from raw.amazon_orders as o
cross join control.profile as p
left join control.marketplaces as m on o.marketplace = m.marketplace
left join control.routes as r
    on
        o.account = r.account
        and o.marketplace = r.marketplace
        and o.fulfilment = r.fulfilment
        and local_day(o.purchased_at, p.timezone) between r.valid_from and r.valid_to
left join events as e on o.account = e.account and o.order_id = e.order_id
left join raw.reported_orders as d on o.order_id = d.order_id
left join raw.recipients as w on o.order_id = w.order_id
