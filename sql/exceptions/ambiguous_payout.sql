-- AMBIGUOUS_PAYOUT: several bank lines fit one payout or card charge, or one line fits several. One row per movement.
select
    'AMBIGUOUS_PAYOUT' as code,
    'high' as severity,
    false as blocking,
    'finance' as owner,
    'settlement' as entity_type,
    x.message_key as entity_id,
    x.settlement_key,
    cast(null as varchar) as order_id,
    abs(e.amount) as amount_at_risk,
    e.currency,
    2 as due_days,
    format(
        'Settlement {}: {} {} {} fits {} bank lines, or a line that fits another settlement as well.',
        split_part(x.settlement_key, '-', 2), x.document, cast(abs(e.amount) as varchar), e.currency, x.open_lines
    ) as message,
    'Say which line it is: `amazon-sage match SETTLEMENT BANK_LINE --by NAME` (finance.bank_lines has the ids), or '
    || 'correct the lines in Sage. Nothing is posted for it until then.' as action
from core.core__bank_matches as x
inner join core.core__bank_expectations as e on x.message_key = e.message_key
where x.is_ambiguous
