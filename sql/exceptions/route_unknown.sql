-- ROUTE_UNKNOWN: order rows whose revenue owner is not in the profile's routes.
-- One row per settlement.
select
    'ROUTE_UNKNOWN' as code,
    'high' as severity,
    true as blocking,
    'finance' as owner,
    'settlement' as entity_type,
    settlement_key as entity_id,
    settlement_key,
    cast(null as varchar) as order_id,
    amount as amount_at_risk,
    currency,
    2 as due_days,
    format(
        'Settlement {}: {} order lines of {} {} ({}, such as {}) have no route, so nobody owns their revenue.',
        settlement_id, line_count, cast(amount as varchar), currency, places, examples
    ) as message,
    'Add a [[routes]] entry for this account, marketplace and fulfilment that covers these dates, then run '
    || '`amazon-sage settle`.' as action
from core.core__line_problems
where problem = 'ROUTE_UNKNOWN'
