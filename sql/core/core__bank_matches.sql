-- Which line of a Sage bank each expected movement is, one to one. Ours, chosen by a person, named by its reference or
-- trace, or the only line of that amount in the window; two that fit are never chosen between. One row per movement.
with expectations as materialized (
    select * from core.core__bank_expectations
),

entries as materialized (
    select * from staging.stg_sage__bank_entries
),

foreign_lines as (
    select
        *,
        concat_ws(' ', reference, second_reference, description) as words
    from entries
    where message_key is null
),

-- The settlements that a line names by their numbers. Such a line is the payout of no other settlement.
named_settlements as (
    select
        b.bank_transaction_id,
        list(distinct s.settlement_key) as settlement_keys
    from (
        select
            bank_transaction_id,
            unnest(string_split_regex(words, '[^0-9]+')) as number
        from foreign_lines
    ) as b
    inner join core.core__settlements as s on b.number = s.settlement_id
    group by b.bank_transaction_id
),

ours as (
    select
        e.message_key,
        min(b.bank_transaction_id) as bank_transaction_id
    from expectations as e
    inner join entries as b
        on e.message_key = b.message_key and e.nominal_code = b.nominal_code
    group by e.message_key
),

chosen as (
    select
        e.message_key,
        b.bank_transaction_id
    from expectations as e
    inner join control.payout_choices as c on e.settlement_key = c.settlement_key and e.document = 'payout'
    inner join foreign_lines as b on c.bank_transaction_id = cast(b.bank_transaction_id as varchar)
    where e.message_key not in (select o.message_key from ours as o)
),

candidates as (
    select
        e.message_key,
        b.bank_transaction_id,
        n.bank_transaction_id is not null
        or coalesce(e.trace_id <> '' and contains(b.words, e.trace_id), false) as is_named
    from expectations as e
    inner join foreign_lines as b
        on
            e.nominal_code = b.nominal_code
            and e.amount = b.amount
            and b.currency in (e.currency, '')  -- Sage does not always tell the currency of a bank
            and b.transaction_date between e.first_day and e.last_day
    left join named_settlements as n on b.bank_transaction_id = n.bank_transaction_id
    where
        coalesce(list_contains(n.settlement_keys, e.settlement_key), true)
        and e.message_key not in (select o.message_key from ours as o)
        and e.message_key not in (select c.message_key from chosen as c)
        and b.bank_transaction_id not in (select c.bank_transaction_id from chosen as c)
),

named as (
    select
        message_key,
        bank_transaction_id
    from candidates
    where is_named
    qualify
        count(*) over (partition by message_key) = 1
        and count(*) over (partition by bank_transaction_id) = 1
),

open_candidates as (
    select
        message_key,
        bank_transaction_id,
        count(*) over (partition by message_key) as lines,
        count(*) over (partition by bank_transaction_id) as movements
    from candidates
    where
        message_key not in (select n.message_key from named as n)
        and bank_transaction_id not in (select n.bank_transaction_id from named as n)
),

undecided as (
    select
        message_key,
        max(lines) as lines
    from open_candidates
    group by message_key
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
from expectations as e
left join decided as d on e.message_key = d.message_key
left join entries as b on d.bank_transaction_id = b.bank_transaction_id
left join undecided as o on e.message_key = o.message_key
