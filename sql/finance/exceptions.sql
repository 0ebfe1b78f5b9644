-- Open exceptions: what is wrong, where, how much, whose it is and what clears it. One row per cause.
-- They go by themselves when the cause is gone. Amounts in `currency`, times UTC.
select
    e.code,
    e.severity,
    e.blocking,
    e.owner,
    e.entity_type,
    e.entity_id,
    s.settlement_id,
    e.order_id,
    cast(e.amount_at_risk as decimal(18, 2)) as amount_at_risk,
    e.currency,
    seen.first_seen_at,
    seen.first_seen_at + to_days(e.due_days) as due_at,
    e.message,
    e.action
from exceptions.open_exceptions as e
left join core.core__settlements as s on e.settlement_key = s.settlement_key
left join control.exceptions_seen as seen
    on e.code = seen.code and e.entity_type = seen.entity_type and e.entity_id = seen.entity_id
order by e.blocking desc, e.code asc, e.entity_id asc
