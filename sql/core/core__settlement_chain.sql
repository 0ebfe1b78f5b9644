-- Each settlement beside the one before it, per account, currency and marketplace; amounts towards the seller.
-- The first settlement known has nothing before it: what it takes over was booked before this product was used.
with moves as (
    select
        settlement_key,
        sum(amount) filter (where document = 'reserve_held') as reserve_held,
        sum(amount) filter (where document = 'reserve_released') as reserve_released,
        sum(amount) filter (where document = 'debt' and account_key = 'debt_forward') as debt_taken_over
    from core.core__settlement_lines
    where row_group in ('balance_reserve', 'balance_debt')
    group by settlement_key
),

headers as (
    select
        s.settlement_key,
        s.account,
        s.settlement_id,
        s.currency,
        s.marketplace,
        s.start_at,
        s.end_at,
        s.total_amount,
        p.is_sound,
        coalesce(m.reserve_held, 0.00) as reserve_held,
        coalesce(m.reserve_released, 0.00) as reserve_released,
        coalesce(m.debt_taken_over, 0.00) as debt_taken_over
    from core.core__settlements as s
    inner join core.core__proofs as p on s.settlement_key = p.settlement_key
    left join moves as m on s.settlement_key = m.settlement_key
)

select
    settlement_key,
    account,
    settlement_id,
    currency,
    marketplace,
    start_at,
    total_amount,
    is_sound,
    reserve_released,
    debt_taken_over,
    lag(settlement_id) over chain as previous_settlement_id,
    lag(end_at) over chain as previous_end_at,
    lag(total_amount) over chain as previous_total,
    lag(reserve_held) over chain as previous_reserve_held,
    lag(is_sound) over chain as previous_is_sound,
    -- Amazon writes the same second at both ends; a minute more is a gap.
    coalesce(start_at > lag(end_at) over chain + interval 1 minute, false) as is_gap
from headers
window chain as (partition by account, currency, coalesce(marketplace, '') order by start_at, end_at, settlement_id)
