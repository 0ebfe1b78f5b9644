-- REFUND_CHANGED: Amazon tells another amount of a refund than the one that went to Sage. One row per refund.
select
    'REFUND_CHANGED' as code,
    'medium' as severity,
    false as blocking,
    'finance' as owner,
    'refund' as entity_type,
    p.entity_id,
    cast(null as varchar) as settlement_key,
    p.order_id,
    abs(coalesce(sum(r.gross), 0.00) - any_value(m.amount)) as amount_at_risk,
    any_value(m.currency) as currency,
    5 as due_days,
    format('A refund of order {} has changed: {}.', p.order_id, p.detail) as message,
    'Credit the rest in Sage by hand, or invoice what was credited too much, at the VAT of the order.' as action
from core.document_problems as p
inner join outbox.messages as m on p.entity_id = m.message_key
left join core.core__refunds as r
    on p.order_id = r.order_id and p.entity_id = concat_ws('/', r.account, 'refund', r.order_id, r.refund_id)
where p.code = 'REFUND_CHANGED'
group by p.entity_id, p.order_id, p.detail
