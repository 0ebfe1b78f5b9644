-- REFUND_WITHOUT_ORDER: a settlement takes money back for an order that Sage does not have. One row per refund.
-- The payment stays on the customer account; no credit note is made for what was never invoiced.
select
    'REFUND_WITHOUT_ORDER' as code,
    'medium' as severity,
    false as blocking,
    'finance' as owner,
    'refund' as entity_type,
    s.order_id || '/' || s.refund_id as entity_id,
    cast(null as varchar) as settlement_key,
    s.order_id,
    abs(sum(s.amount)) as amount_at_risk,
    s.currency,
    5 as due_days,
    format(
        'Settlement {} takes back {} {} for a refund of order {}, which is no order of ours in Sage.',
        string_agg(distinct s.settlement_id, ', '), cast(abs(sum(s.amount)) as varchar), s.currency, s.order_id
    ) as message,
    'Find the original sale. If Sage has it under another number, credit it there and allocate the payment; if it was '
    || 'booked by a settlement before the routes changed, credit sales and VAT by hand.' as action
from core.core__settled_orders as s
where
    s.document = 'customer_refunds'
    and exists (
        select 1 from control.watermarks as w
        where w.source = 'amazon_orders/' || s.account
    )
    and s.order_id not in (select b.order_id from core.core__booked_orders as b)
group by s.order_id, s.refund_id, s.currency
having sum(s.amount) <> 0
