-- RETROCHARGE_OPEN: late tax corrections of an order that do not cancel out. One row per settlement and order.
select
    'RETROCHARGE_OPEN' as code,
    'high' as severity,
    true as blocking,
    'tax' as owner,
    'order' as entity_type,
    concat_ws('/', l.settlement_key, coalesce(t.order_id, 'no order')) as entity_id,
    l.settlement_key,
    t.order_id,
    cast(abs(sum(l.amount)) as decimal(18, 2)) as amount_at_risk,
    s.currency,
    5 as due_days,
    format(
        'Settlement {}: the retrocharge rows of order {} leave {} {}; they must cancel out.',
        any_value(s.settlement_id), coalesce(t.order_id, '(none)'), cast(sum(l.amount) as varchar), s.currency
    ) as message,
    'Ask Amazon for the VAT document of this order. Nothing of the settlement is booked until finance maps the '
    || 'remaining row in settlement_rows.csv.' as action
from core.core__settlement_lines as l
inner join core.core__settlements as s on l.settlement_key = s.settlement_key
inner join core.core__proofs as p on l.settlement_key = p.settlement_key
inner join staging.stg_amazon__settlement_lines as t
    on s.document_sha256 = t.document_sha256 and l.line_number = t.line_number and l.part = t.part
where l.row_group = 'retrocharge' and p.is_sound
group by l.settlement_key, t.order_id, s.currency
having sum(l.amount) <> 0
