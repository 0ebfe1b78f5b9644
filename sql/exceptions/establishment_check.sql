-- ESTABLISHMENT_CHECK: Amazon keeps UK VAT although the seller is established in the UK. One row per settlement.
select
    'ESTABLISHMENT_CHECK' as code,
    'high' as severity,
    false as blocking,
    'tax' as owner,
    'settlement' as entity_type,
    l.settlement_key as entity_id,
    l.settlement_key,
    cast(null as varchar) as order_id,
    cast(sum(abs(l.amount)) as decimal(18, 2)) as amount_at_risk,
    s.currency,
    1 as due_days,
    format(
        'Settlement {}: Amazon kept {} {} of VAT on UK sales, although the company is established in the UK and should '
        || 'declare it itself.',
        any_value(s.settlement_id), cast(sum(abs(l.amount)) as varchar), s.currency
    ) as message,
    'Check the establishment details in Seller Central and ask Amazon to correct them; until then these sales are '
    || 'booked as supplies to Amazon at the zero rate.' as action
from core.core__settlement_lines as l
inner join core.core__settlements as s on l.settlement_key = s.settlement_key
inner join core.core__proofs as p on l.settlement_key = p.settlement_key
cross join control.profile as c
where
    l.row_group in ('withheld_tax', 'refund_withheld_tax')
    and l.amount <> 0
    and l.marketplace = 'Amazon.co.uk'
    and c.established_in = 'GB'
    and p.is_sound
group by l.settlement_key, s.currency
