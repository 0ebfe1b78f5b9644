-- Entries of the Sage banks that Amazon's money passes through. `amount` is signed from the bank's side: positive is
-- money in, in `currency`. `message_key` names the document of ours, `settlement_id` the payout it was matched to.
select
    cast(b.bank_transaction_id as varchar) as bank_transaction_id,
    b.bank_code,
    b.nominal_code,
    b.currency,
    b.transaction_date,
    b.amount,
    b.reference,
    b.second_reference,
    b.description,
    b.source,
    b.user_name,
    b.urn,
    b.message_key,
    x.how as matched_how,
    s.settlement_id
from staging.stg_sage__bank_entries as b
left join core.core__bank_matches as x on b.bank_transaction_id = x.bank_transaction_id
left join core.core__settlements as s on x.settlement_key = s.settlement_key
order by b.bank_transaction_id
