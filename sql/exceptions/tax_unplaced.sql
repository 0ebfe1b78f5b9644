-- TAX_UNPLACED: tax rows that have no home: foreign VAT, kept tax that does not cancel out, fee tax without a fee.
-- One row per settlement.
select
    'TAX_UNPLACED' as code,
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
        'Settlement {}: {} tax lines of {} {} (such as {}) cannot be placed: they are not UK VAT of a sale here, do '
        || 'not cancel out with tax that Amazon kept, or belong to no fee.',
        settlement_id, line_count, cast(amount as varchar), currency, examples
    ) as message,
    'If the company declares this VAT itself, name its account under [local_vat] in the profile; else correct the '
    || 'route''s vat_treatment. Then run `amazon-sage settle`.' as action
from core.core__line_problems
where problem = 'TAX_UNPLACED'
