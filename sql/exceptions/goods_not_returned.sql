-- GOODS_NOT_RETURNED: a whole order was refunded long ago and its goods never came back. One row per order.
select
    'GOODS_NOT_RETURNED' as code,
    'low' as severity,
    false as blocking,
    'operations' as owner,
    'order' as entity_type,
    r.order_id as entity_id,
    cast(null as varchar) as settlement_key,
    r.order_id,
    sum(r.gross) as amount_at_risk,
    r.currency,
    15 as due_days,
    format(
        'Order {} was refunded in full ({} {}) on {} and nothing has come back.',
        r.order_id, cast(sum(r.gross) as varchar), r.currency, strftime(max(r.refunded_day), '%d %b %Y')
    ) as message,
    'Claim it from Amazon (reimbursement or SAFE-T), or accept the loss. Stock in Sage was not changed.' as action
from core.core__refunds as r
inner join core.core__orders as o on r.order_id = o.order_id
cross join control.as_of as a
cross join control.order_rules as rules
where
    exists (
        select 1 from control.watermarks as w
        where
            w.source = 'amazon_returns/' || r.account
            and w.read_at > r.refunded_day + to_days(rules.unreturned_after_days)
    )
    and r.order_id not in (select b.order_id from raw.amazon_returns as b)
group by r.order_id, r.currency, o.order_total, rules.unreturned_after_days, a.moment
having sum(r.gross) >= o.order_total and datediff('day', max(r.refunded_day), a.moment) > rules.unreturned_after_days
