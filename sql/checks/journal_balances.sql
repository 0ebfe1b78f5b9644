-- Debits equal credits in every document of every journal.
select
    format(
        'settlement {} {} {}: debit {}, credit {}',
        settlement_id,
        period,
        document,
        sum(debit)::varchar,
        sum(credit)::varchar
    ) as failure
from finance.journal_lines
group by account, settlement_id, period, document, currency
having sum(debit) <> sum(credit)
