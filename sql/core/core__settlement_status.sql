-- Where each settlement stands: quarantined (cannot be trusted), held (waits for a decision), ready (proven), then by
-- its documents: approved, posting, posted. The payout has its own standing. One row per settlement.
with blocking as (
    select
        settlement_key,
        bool_or(code in ('BAD_ROW', 'TOTAL_MISMATCH', 'MIXED_CURRENCY', 'DERIVATION_FAILED')) as is_quarantined,
        string_agg(code || ': ' || message, ' | ' order by code, entity_id) as hold_reason
    from exceptions.blocking_exceptions
    where blocking and settlement_key is not null
    group by settlement_key
),

documents as (
    select
        settlement_key,
        bool_and(status = 'delivered') as is_posted,
        bool_or(status in ('sending', 'delivered')) as is_begun,
        bool_and(status = 'approved') as is_approved
    from outbox.messages
    where status <> 'superseded' and document <> 'payout'
    group by settlement_key
)

select
    s.settlement_key,
    b.hold_reason,
    b.settlement_key is null as is_proven,
    case
        when b.is_quarantined then 'quarantined'
        when b.settlement_key is not null then 'held'
        when d.is_posted then 'posted'
        when d.is_begun then 'posting'
        when d.is_approved then 'approved'
        else 'ready'
    end as status
from core.core__settlements as s
left join blocking as b on s.settlement_key = b.settlement_key
left join documents as d on s.settlement_key = d.settlement_key
