-- NEGATIVE_PAYOUT: a settlement that ends in debt, for information. One row per settlement.
select
    'NEGATIVE_PAYOUT' as code,
    'info' as severity,
    false as blocking,
    'finance' as owner,
    'settlement' as entity_type,
    s.settlement_key as entity_id,
    s.settlement_key,
    cast(null as varchar) as order_id,
    -s.total_amount as amount_at_risk,
    s.currency,
    14 as due_days,
    format(
        'Settlement {} ends at {} {}: no payout comes.', s.settlement_id, cast(s.total_amount as varchar), s.currency
    ) as message,
    'Nothing to do: the next settlement takes the debt over, or Amazon charges the card. This notice goes when the '
    || 'next settlement arrives.' as action
from core.core__settlements as s
inner join core.core__proofs as p on s.settlement_key = p.settlement_key
where
    s.total_amount < 0
    and p.is_sound
    and not exists (
        select 1
        from core.core__settlement_chain as c
        where
            c.account = s.account
            and c.currency = s.currency
            and c.previous_settlement_id = s.settlement_id
            and not c.is_gap
    )
