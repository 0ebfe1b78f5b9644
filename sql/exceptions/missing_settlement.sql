-- MISSING_SETTLEMENT: a gap between two settlements of one account, currency and marketplace. Does not block the later.
select
    'MISSING_SETTLEMENT' as code,
    'high' as severity,
    false as blocking,
    'finance' as owner,
    'settlement' as entity_type,
    c.settlement_key as entity_id,
    c.settlement_key,
    cast(null as varchar) as order_id,
    cast(null as decimal(18, 2)) as amount_at_risk,
    c.currency,
    2 as due_days,
    format(
        'Between settlement {} (to {}) and settlement {} (from {}) of {} {} nothing has arrived.',
        c.previous_settlement_id, strftime(c.previous_end_at, '%d %b %Y %H:%M'), c.settlement_id,
        strftime(c.start_at, '%d %b %Y %H:%M'), c.account, coalesce(c.marketplace, c.currency)
    ) as message,
    'Download the missing settlement report from Seller Central (kept there for 90 days) and settle it.' as action
from core.core__settlement_chain as c
where c.is_gap
