-- What each document moves through the wallet is what its settlement lines add up to.
with moved as (
    select
        account,
        settlement_id,
        period,
        document,
        sum(debit - credit) as wallet
    from finance.journal_lines
    where account_key = 'wallet' and document <> 'debt_carry'
    group by all
),

booked as (
    select
        account,
        settlement_id,
        split_part(journal_line_id, '/', 2) as period,
        split_part(journal_line_id, '/', 3) as document,
        sum(amount) as amount
    from finance.settlement_lines
    where journal_line_id is not null
    group by all
)

select
    format(
        'settlement {} {} {}: wallet {}, lines {}',
        coalesce(m.settlement_id, b.settlement_id), coalesce(m.period, b.period), coalesce(m.document, b.document),
        coalesce(m.wallet, 0)::varchar, coalesce(b.amount, 0)::varchar
    ) as failure
from moved as m
full join booked as b using (account, settlement_id, period, document)
where coalesce(m.wallet, 0) <> coalesce(b.amount, 0)
