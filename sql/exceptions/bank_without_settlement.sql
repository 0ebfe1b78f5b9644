-- BANK_WITHOUT_SETTLEMENT: a credit from Amazon in the bank that no settlement explains. One row per bank line.
select
    'BANK_WITHOUT_SETTLEMENT' as code,
    'high' as severity,
    false as blocking,
    'finance' as owner,
    'bank_line' as entity_type,
    cast(b.bank_transaction_id as varchar) as entity_id,
    cast(null as varchar) as settlement_key,
    cast(null as varchar) as order_id,
    b.amount as amount_at_risk,
    b.currency,
    5 as due_days,
    format(
        'Bank {}: {} {} from Amazon on {} (reference {}) belongs to no settlement.',
        b.bank_code, cast(b.amount as varchar), b.currency, strftime(b.transaction_date, '%d %b %Y'), b.reference
    ) as message,
    'Find the settlement and land its report, or correct the entry in Sage. It is never posted to sales.' as action
from staging.stg_sage__bank_entries as b
cross join control.payout_rules as r
where
    b.message_key is null
    and b.amount > 0
    and b.nominal_code in (
        select e.nominal_code from core.core__bank_expectations as e
        where e.document = 'payout'
    )
    and (
        contains(lower(concat_ws(' ', b.reference, b.second_reference, b.description)), lower(r.bank_text))
        or list_has_any(
            b.contra_nominals, (select list(distinct e.wallet_code) from core.core__bank_expectations as e)
        )
    )
    -- What came before the first settlement we know is not ours to explain.
    and b.transaction_date >= (select min(e.first_day) from core.core__bank_expectations as e)
    and b.bank_transaction_id not in (
        select x.bank_transaction_id from core.core__bank_matches as x
        where x.bank_transaction_id is not null
    )
    -- A line that fits an undecided payout is asked about there.
    and not exists (
        select 1
        from core.core__bank_matches as x
        inner join core.core__bank_expectations as e on x.message_key = e.message_key
        where
            x.is_ambiguous
            and e.nominal_code = b.nominal_code
            and e.amount = b.amount
            and b.transaction_date between e.first_day and e.last_day
    )
    -- A settlement that cannot be booked yet has a header total and no planned payout: the line waits for it.
    and not exists (
        select 1
        from core.core__settlements as s
        where
            s.settlement_key not in (select e.settlement_key from core.core__bank_expectations as e)
            and s.total_amount = b.amount
            and b.currency in (s.currency, '')
            and b.transaction_date between s.deposit_date - r.days_before
            and working_day_after(s.deposit_date, greatest(r.working_days_after, 1))
    )
