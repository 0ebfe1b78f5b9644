-- A payout that is matched has the amount of its bank line, and no bank line is two payouts.
select
    format(
        'settlement {} {}: payout {}, bank line {} is {}', account, settlement_id, payout_amount::varchar,
        bank_transaction_id, bank_amount::varchar
    ) as failure
from finance.payout_reconciliation
where bank_transaction_id is not null and bank_amount <> payout_amount
union all
select format('bank line {} is the payout of {} settlements', bank_transaction_id, count(*)) as failure
from finance.payout_reconciliation
where bank_transaction_id is not null
group by bank_transaction_id
having count(*) > 1
