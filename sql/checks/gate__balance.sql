-- Every journal balances per document and moves the wallet by the header total.
select
    format(
        'settlement {} {} {}: debit {}, credit {}', j.settlement_id, j.period, j.document,
        sum(j.debit)::varchar, sum(j.credit)::varchar
    ) as failure
from core.core__journal_lines as j
group by j.settlement_key, j.settlement_id, j.period, j.document
having sum(j.debit) <> sum(j.credit)
union all
select
    format(
        'settlement {}: wallet {}, header {}', s.settlement_id, sum(j.debit - j.credit)::varchar,
        s.total_amount::varchar
    ) as failure
from core.core__journal_lines as j
inner join core.core__settlements as s on j.settlement_key = s.settlement_key
where j.account_key = 'wallet' and j.document <> 'debt_carry'
group by s.settlement_key, s.settlement_id, s.total_amount
having sum(j.debit - j.credit) <> s.total_amount
