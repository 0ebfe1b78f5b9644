-- PLAN_FAILED: the documents for Sage would not say what the journal says. One row per settlement; a fault of ours.
select
    'PLAN_FAILED' as code,
    'high' as severity,
    true as blocking,
    'engineering' as owner,
    'settlement' as entity_type,
    f.settlement_key as entity_id,
    f.settlement_key,
    cast(null as varchar) as order_id,
    abs(s.total_amount) as amount_at_risk,
    s.currency,
    1 as due_days,
    f.reason as message,
    'Nothing of this settlement is sent. Hand this message to engineering.' as action
from core.plan_failures as f
inner join core.core__settlements as s on f.settlement_key = s.settlement_key
