-- DOUBLE_OWNERSHIP: a settlement would book the revenue of orders that Sage has as sales orders. Blocks the settlement.
-- One row per settlement.
with in_sage as (
    select
        customer_document_no as order_id,
        document_no
    from raw.sage_orders
    where status <> 'Cancelled'
    union
    select
        c.order_id,
        coalesce(s.document_no, m.remote_reference) as document_no
    from outbox.covered_orders as c
    inner join outbox.messages as m on c.message_key = m.message_key and m.document in ('order', 'daily_order')
    left join raw.sage_orders as s on m.remote_id = cast(s.id as varchar)
    where m.status in ('delivered', 'sending') and coalesce(s.status, '') <> 'Cancelled'
),

doubled as (
    select
        l.settlement_key,
        t.order_id,
        any_value(i.document_no) as document_no,
        sum(l.amount) as amount
    from core.core__settlement_lines as l
    inner join core.core__settlements as s on l.settlement_key = s.settlement_key
    inner join staging.stg_amazon__settlement_lines as t
        on s.document_sha256 = t.document_sha256 and l.line_number = t.line_number and l.part = t.part
    inner join in_sage as i on t.order_id = i.order_id
    where l.document = 'sales'
    group by l.settlement_key, t.order_id
)

select
    'DOUBLE_OWNERSHIP' as code,
    'high' as severity,
    true as blocking,
    'finance' as owner,
    'settlement' as entity_type,
    d.settlement_key as entity_id,
    d.settlement_key,
    case when count(*) = 1 then min(d.order_id) end as order_id,
    sum(d.amount) as amount_at_risk,
    s.currency,
    1 as due_days,
    format(
        'Settlement {} would book revenue of {} orders that Sage has as sales orders: {}.',
        s.settlement_id,
        count(*),
        array_to_string(list_sort(list(d.order_id || ' (' || d.document_no || ')'))[:10], ', ')
        || case when count(*) > 10 then ' and others' else '' end
    ) as message,
    'One of the two must go. Cancel those orders in Sage if they were never invoiced, or correct the day from which '
    || 'the route in the profile gives them to sales orders.' as action
from doubled as d
inner join core.core__settlements as s on d.settlement_key = s.settlement_key
group by d.settlement_key, s.settlement_id, s.currency
