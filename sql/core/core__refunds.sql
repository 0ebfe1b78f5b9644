-- Refunds of orders that Sage orders own, per item: told by Amazon's money events first, by settlements at the latest.
-- One row per order, refund and item; `gross` is what the buyer gets back, positive, VAT inside, in the order's
-- currency. What Amazon withheld and releases again is not in it. `refunded_day` in the profile's time zone.
with told as (
    select
        t.account,
        t.order_id,
        t.refund_id,
        i.seller_sku,
        i.adjustment_item_id,
        t.currency,
        min(local_day(t.posted_at, p.timezone)) as refunded_day,
        -sum(i.gross) as gross,
        -sum(i.vat) as vat,
        'money event' as source
    from raw.amazon_transactions as t
    inner join raw.amazon_refund_items as i on t.account = i.account and t.transaction_id = i.transaction_id
    cross join control.profile as p
    where
        t.kind = 'Refund'
        and t.refund_id <> ''
        and t.status <> 'DEFERRED_RELEASED'
        -- Amazon tells a refund that it held back again when it releases it, and changes the first record too late.
        and not (
            t.status = 'DEFERRED'
            and exists (
                select 1
                from raw.amazon_transactions as later
                inner join raw.amazon_refund_items as same
                    on later.account = same.account and later.transaction_id = same.transaction_id
                where
                    later.account = t.account
                    and later.order_id = t.order_id
                    and later.refund_id = t.refund_id
                    and later.kind = 'Refund'
                    and later.status = 'RELEASED'
                    and same.seller_sku = i.seller_sku
                    and same.adjustment_item_id = i.adjustment_item_id
            )
        )
    group by all
),

settled as (
    select
        s.account,
        t.order_id,
        coalesce(t.adjustment_id, 'settlement ' || s.settlement_id) as refund_id,
        coalesce(t.sku, '') as seller_sku,
        coalesce(t.merchant_adjustment_item_id, '') as adjustment_item_id,
        s.currency,
        min(l.posted_day) as refunded_day,
        -sum(l.amount) as gross,
        -sum(case when l.row_group in ('refund_tax', 'refund_promotion_tax') then l.amount else 0.00 end) as vat,
        'settlement' as source
    from core.core__settlement_lines as l
    inner join core.core__settlements as s on l.settlement_key = s.settlement_key
    inner join staging.stg_amazon__settlement_lines as t
        on s.document_sha256 = t.document_sha256 and l.line_number = t.line_number and l.part = t.part
    where l.document = 'customer_refunds'
    group by all
)

select
    f.account,
    f.order_id,
    f.refund_id,
    f.seller_sku,
    f.adjustment_item_id,
    f.currency,
    f.refunded_day,
    cast(f.gross as decimal(18, 2)) as gross,
    cast(f.vat as decimal(18, 2)) as vat,
    f.source
from (
    select * from told
    union all by name
    select s.*
    from settled as s
    -- The same refund told twice is one, also where Amazon's two sources should name it differently.
    where not exists (
        select 1
        from told as t
        where
            t.order_id = s.order_id
            and (
                t.refund_id = s.refund_id
                or (t.adjustment_item_id = s.adjustment_item_id and s.adjustment_item_id <> '')
                or (t.seller_sku = s.seller_sku and t.gross = s.gross)
            )
    )
) as f
inner join core.core__orders as o on f.order_id = o.order_id
where o.owner in ('sop', 'sop_daily') and f.gross <> 0
