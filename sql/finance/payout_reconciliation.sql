-- Each settlement from its header total to the payout, in `currency`. `wallet_movement` is what the journal does to the
-- Amazon wallet, without the carried debt, which belongs to the settlement before. Nothing is matched to a bank yet.
with moved as (
    select
        settlement_key,
        sum(debit - credit) as wallet_movement
    from core.core__journal_lines
    where account_key = 'wallet' and document <> 'debt_carry'
    group by settlement_key
)

select
    s.account,
    s.settlement_id,
    s.currency,
    s.total_amount as header_total,
    cast(coalesce(m.wallet_movement, 0) as decimal(18, 2)) as wallet_movement,
    cast(0 as decimal(18, 2)) as posted_total,
    greatest(s.total_amount, 0.00) as payout_amount,
    cast(null as varchar) as bank_transaction_id,
    cast(null as date) as bank_date,
    cast(null as decimal(18, 2)) as bank_amount,
    cast(s.total_amount - coalesce(m.wallet_movement, 0) as decimal(18, 2)) as difference,
    case
        when t.status <> 'ready' then t.status
        when s.total_amount > 0 then 'payout_expected'
        else 'no_payout'
    end as status
from core.core__settlements as s
inner join core.core__settlement_status as t on s.settlement_key = t.settlement_key
left join moved as m on s.settlement_key = m.settlement_key
order by s.account, s.settlement_id
