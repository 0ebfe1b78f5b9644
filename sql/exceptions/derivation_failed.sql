-- DERIVATION_FAILED: a settlement that can be read could not be worked out. One row per settlement; a fault of ours.
select
    'DERIVATION_FAILED' as code,
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
    format('Settlement {} ({}): {}', s.settlement_id, s.file_name, f.reason) as message,
    'Nothing of this settlement is booked. Hand this message and the file to engineering.' as action
from core.derivation_failures as f
inner join core.core__settlements as s on f.settlement_key = s.settlement_key
