-- ORDER_VAT_UNRESOLVED: the VAT of an order cannot be told. One row per order.
select
    'ORDER_VAT_UNRESOLVED' as code,
    'high' as severity,
    false as blocking,
    'tax' as owner,
    'order' as entity_type,
    p.order_id as entity_id,
    cast(null as varchar) as settlement_key,
    p.order_id,
    p.amount as amount_at_risk,
    o.currency,
    2 as due_days,
    format(
        'The VAT of {} in order {} cannot be told: {}.', p.about, p.order_id,
        case
            when p.detail = 'no treatment' then 'neither the order, the product nor the route says'
            else p.detail || ' has no rate for that day, or Amazon shows VAT that it does not provide for'
        end
    ) as message,
    'Correct the vat_treatment of the route, or the rates in vat_treatments.csv.' as action
from core.core__order_problems as p
inner join core.core__orders as o on p.order_id = o.order_id
where p.code = 'ORDER_VAT_UNRESOLVED'
