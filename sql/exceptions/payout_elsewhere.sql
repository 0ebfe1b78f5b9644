-- PAYOUT_ELSEWHERE: a payout was entered by hand against another nominal code than the wallet. One row per settlement.
select
    'PAYOUT_ELSEWHERE' as code,
    'high' as severity,
    false as blocking,
    'finance' as owner,
    'settlement' as entity_type,
    x.message_key as entity_id,
    x.settlement_key,
    cast(null as varchar) as order_id,
    abs(e.amount) as amount_at_risk,
    e.currency,
    5 as due_days,
    format(
        'Settlement {}: its {} of {} {} was entered by hand against {} instead of the Amazon wallet {}.',
        split_part(x.settlement_key, '-', 2), x.document, cast(abs(e.amount) as varchar), e.currency,
        array_to_string(x.contra_nominals, ', '), e.wallet_code
    ) as message,
    'Move it in Sage to the wallet''s nominal code; the wallet shows too much until then. We post no second one.'
        as action
from core.core__bank_matches as x
inner join core.core__bank_expectations as e on x.message_key = e.message_key
where
    x.how <> 'ours'
    and len(x.contra_nominals) > 0
    and not list_contains(x.contra_nominals, e.wallet_code)
