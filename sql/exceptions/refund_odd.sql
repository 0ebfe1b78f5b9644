-- REFUND_ODD: a refund cannot be put into a credit note. One row per refund.
select
    'REFUND_ODD' as code,
    'medium' as severity,
    false as blocking,
    'finance' as owner,
    'refund' as entity_type,
    p.entity_id,
    cast(null as varchar) as settlement_key,
    p.order_id,
    coalesce(abs(sum(r.gross)), 0.00) as amount_at_risk,
    any_value(r.currency) as currency,
    5 as due_days,
    format('A refund of order {} was not credited: {}.', p.order_id, p.detail) as message,
    'Credit it in Sage by hand and allocate the payment of the settlement to it.' as action
from core.document_problems as p
left join core.core__refunds as r
    on p.order_id = r.order_id and p.entity_id = concat_ws('/', r.account, 'refund', r.order_id, r.refund_id)
where p.code = 'REFUND_ODD'
group by p.entity_id, p.order_id, p.detail
