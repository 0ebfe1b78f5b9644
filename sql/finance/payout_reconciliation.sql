-- Each settlement from its header total to the bank, in `currency`. `wallet_movement` is what the journal does to the
-- Amazon wallet, `posted_total` what Sage's own entries did (both without the carried debt, which belongs to the
-- settlement before), `bank_amount` the bank line that the payout is. `difference` is the first of these steps that
-- does not hold, 0.00 when all do. One row per settlement.
with moved as (
    select
        settlement_key,
        sum(debit - credit) as wallet_movement
    from core.core__journal_lines
    where account_key = 'wallet' and document <> 'debt_carry'
    group by settlement_key
),

returned as (
    select distinct
        c.previous_settlement_id as settlement_id,
        c.account
    from core.core__settlement_chain as c
    inner join core.planned_documents as p on c.settlement_key = p.settlement_key
    where p.document = 'payout_returned' and not c.is_gap
),

joined as (
    select
        s.settlement_key,
        s.account,
        s.settlement_id,
        s.currency,
        s.start_at,
        s.deposit_date,
        s.total_amount as header_total,
        coalesce(m.wallet_movement, 0) as wallet_movement,
        coalesce(t.posted_total, 0) as posted_total,
        greatest(s.total_amount, 0) as payout_amount,
        x.bank_transaction_id,
        x.bank_date,
        x.bank_amount,
        x.statement_date,
        x.how,
        e.amazon_status,
        u.status as settlement_status,
        case
            when u.status in ('quarantined', 'held') then u.status
            when s.total_amount <= 0 then 'no_payout'
            when r.settlement_id is not null then 'payout_returned'
            when x.how = 'ours' and x.statement_date is not null then 'payout_reconciled'
            when x.how = 'ours' then 'payout_posted'
            when x.how is not null then 'payout_matched'
            when x.is_ambiguous then 'payout_ambiguous'
            else 'payout_expected'
        end as status
    from core.core__settlements as s
    inner join core.core__settlement_status as u on s.settlement_key = u.settlement_key
    left join moved as m on s.settlement_key = m.settlement_key
    left join core.core__posted_totals as t on s.settlement_key = t.settlement_key
    left join core.core__bank_matches as x on s.settlement_key = x.settlement_key and x.document = 'payout'
    left join core.core__bank_expectations as e on s.settlement_key = e.settlement_key and e.document = 'payout'
    left join returned as r on s.account = r.account and s.settlement_id = r.settlement_id
)

select
    account,
    settlement_id,
    currency,
    cast(header_total as decimal(18, 2)) as header_total,
    cast(wallet_movement as decimal(18, 2)) as wallet_movement,
    cast(posted_total as decimal(18, 2)) as posted_total,
    cast(payout_amount as decimal(18, 2)) as payout_amount,
    cast(bank_transaction_id as varchar) as bank_transaction_id,
    bank_date,
    cast(bank_amount as decimal(18, 2)) as bank_amount,
    cast(
        case
            when header_total <> wallet_movement then header_total - wallet_movement
            when settlement_status = 'posted' and header_total <> posted_total then header_total - posted_total
            when bank_amount is not null then payout_amount - bank_amount
            else 0
        end as decimal(18, 2)
    ) as difference,
    status,
    amazon_status,
    statement_date as bank_reconciled_on
from joined
order by account, start_at, settlement_id
