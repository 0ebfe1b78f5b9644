-- Where each settlement stands: quarantined (cannot be trusted), held (waits for a decision), else ready.
with blocking as (
    select
        settlement_key,
        bool_or(code in ('BAD_ROW', 'TOTAL_MISMATCH', 'MIXED_CURRENCY', 'DERIVATION_FAILED')) as is_quarantined,
        string_agg(code || ': ' || message, ' | ' order by code, entity_id) as hold_reason
    from exceptions.open_exceptions
    where blocking and settlement_key is not null
    group by settlement_key
)

select
    s.settlement_key,
    b.hold_reason,
    case when b.is_quarantined then 'quarantined' when b.settlement_key is not null then 'held' else 'ready' end
        as status
from core.core__settlements as s
left join blocking as b on s.settlement_key = b.settlement_key
