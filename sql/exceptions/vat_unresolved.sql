-- VAT_UNRESOLVED: lines whose VAT treatment cannot be found, or has no rate on their date.
-- One row per settlement.
select
    'VAT_UNRESOLVED' as code,
    'high' as severity,
    true as blocking,
    'tax' as owner,
    'settlement' as entity_type,
    settlement_key as entity_id,
    settlement_key,
    cast(null as varchar) as order_id,
    amount as amount_at_risk,
    currency,
    2 as due_days,
    format(
        'Settlement {}: {} lines of {} {} (such as {}) have no VAT treatment that is valid on their date ({}).',
        settlement_id, line_count, cast(amount as varchar), currency, examples, coalesce(treatments, 'none')
    ) as message,
    'Add the treatment for that date to vat_treatments.csv, or correct the rule or route that names it, then run '
    || '`amazon-sage settle`.' as action
from core.core__line_problems
where problem = 'VAT_UNRESOLVED'
