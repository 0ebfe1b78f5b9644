-- RESERVE_CHAIN_BREAK: what a settlement takes over is not what the one before left. One row per settlement and kind.
with opened as (
    select
        settlement_key,
        unnest(['reserve', 'debt']) as kind,
        unnest([previous_reserve_held, least(previous_total, 0.00)]) as left_behind,
        unnest([reserve_released, debt_taken_over]) as taken_over
    from core.core__settlement_chain
    where previous_settlement_id is not null and not is_gap and is_sound and previous_is_sound
)

select
    'RESERVE_CHAIN_BREAK' as code,
    'high' as severity,
    true as blocking,
    'finance' as owner,
    'settlement' as entity_type,
    concat_ws('/', o.settlement_key, o.kind) as entity_id,
    o.settlement_key,
    cast(null as varchar) as order_id,
    cast(abs(if(o.kind = 'reserve', o.left_behind + o.taken_over, o.left_behind - o.taken_over)) as decimal(18, 2))
        as amount_at_risk,
    c.currency,
    2 as due_days,
    if(
        o.kind = 'reserve',
        format(
            'Settlement {} takes back a reserve of {} {}, but settlement {} before it held back {}.',
            c.settlement_id,
            cast(o.taken_over as varchar),
            c.currency,
            c.previous_settlement_id,
            cast((-o.left_behind) as varchar)
        ),
        format(
            'Settlement {} takes over a debt of {} {}, but settlement {} before it ended at {}.',
            c.settlement_id,
            cast((-o.taken_over) as varchar),
            c.currency,
            c.previous_settlement_id,
            cast(c.previous_total as varchar)
        )
    ) as message,
    'Check in Seller Central whether a settlement lies between the two, and settle it; else ask Amazon for a statement.'
        as action
from opened as o
inner join core.core__settlement_chain as c on o.settlement_key = c.settlement_key
where if(o.kind = 'reserve', o.left_behind + o.taken_over, o.left_behind - o.taken_over) <> 0
