-- Which line of a Sage bank each expected movement is, one to one. Ours, chosen by a person, named by its reference or
-- trace, or the only line of that amount in the window; two that fit are never chosen between. One row per movement.
with foreign_lines as (
    select * from staging.stg_sage__bank_entries
    where message_key is null
),

ours as (
    select
        e.message_key,
        min(b.bank_transaction_id) as bank_transaction_id
    from core.core__bank_expectations as e
    inner join staging.stg_sage__bank_entries as b
        on e.message_key = b.message_key and e.nominal_code = b.nominal_code
    group by e.message_key
),

chosen as (
    select
        e.message_key,
        b.bank_transaction_id
    from core.core__bank_expectations as e
    inner join control.payout_choices as c on e.settlement_key = c.settlement_key and e.document = 'payout'
    inner join foreign_lines as b on c.bank_transaction_id = cast(b.bank_transaction_id as varchar)
),

candidates as (
    select
        e.message_key,
        b.bank_transaction_id,
        contains(concat_ws(' ', b.reference, b.second_reference, b.description), split_part(e.settlement_key, '-', 2))
        or coalesce(
            e.trace_id <> ''
            and contains(concat_ws(' ', b.reference, b.second_reference, b.description), e.trace_id),
            false
        ) as is_named
    from core.core__bank_expectations as e
    inner join foreign_lines as b
        on
            e.nominal_code = b.nominal_code
            and e.amount = b.amount
            and b.transaction_date between e.first_day and e.last_day
    where
        e.message_key not in (select message_key from ours)
        and e.message_key not in (select message_key from chosen)
        and b.bank_transaction_id not in (select bank_transaction_id from chosen)
),

named as (
    select
        message_key,
        min(bank_transaction_id) as bank_transaction_id
    from candidates
    where is_named
    group by message_key
    having count(*) = 1
),

open_candidates as (
    select
        message_key,
        bank_transaction_id,
        count(*) over (partition by message_key) as lines,
        count(*) over (partition by bank_transaction_id) as movements
    from candidates
    where
        message_key not in (select message_key from named)
        and bank_transaction_id not in (select bank_transaction_id from named)
),

decided as (
    select
        message_key,
        bank_transaction_id,
        'ours' as how
    from ours
    union all
    select
        message_key,
        bank_transaction_id,
        'chosen' as how
    from chosen
    union all
    select
        message_key,
        bank_transaction_id,
        'named' as how
    from named
    union all
    select
        message_key,
        bank_transaction_id,
        'only' as how
    from open_candidates
    where lines = 1 and movements = 1
)

select
    e.settlement_key,
    e.message_key,
    e.document,
    d.bank_transaction_id,
    d.how,
    b.transaction_date as bank_date,
    b.amount as bank_amount,
    b.contra_nominals,
    b.statement_date,
    coalesce(o.lines, 0) as open_lines,
    d.message_key is null and o.message_key is not null as is_ambiguous
from core.core__bank_expectations as e
left join decided as d on e.message_key = d.message_key
left join staging.stg_sage__bank_entries as b on d.bank_transaction_id = b.bank_transaction_id
left join (
    select
        message_key,
        max(lines) as lines
    from open_candidates
    group by message_key
) as o on e.message_key = o.message_key
