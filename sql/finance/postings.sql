-- The documents for Sage, planned for settlements that are ready. `amount` is positive, in `currency`.
select
    d.message_key,
    d.system,
    d.kind,
    'planned' as status,
    d.remote_reference,
    cast(null as varchar) as remote_id,
    d.amount,
    d.currency,
    d.document_date,
    s.settlement_id,
    cast(null as varchar) as order_id,
    0 as attempts,
    cast(null as varchar) as last_error,
    cast(null as timestamp) as delivered_at
from core.planned_documents as d
inner join core.core__settlements as s on d.settlement_key = s.settlement_key
inner join core.core__settlement_status as t on d.settlement_key = t.settlement_key
where t.status = 'ready'
order by d.message_key
