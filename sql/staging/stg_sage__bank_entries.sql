-- Entries of Sage's banks with `amount` signed from the bank's side: positive is money in. `message_key` is set where
-- the entry bears a reference of ours.
with convention as (
    -- Sage does not say whether payments are shown as negative values: the entries themselves tell.
    select coalesce(bool_or(cheque_value < 0 and contains(lower(transaction_type), 'payment')), false) as is_signed
    from raw.sage_bank_transactions
)

select
    t.id as bank_transaction_id,
    t.bank_code,
    t.nominal_code,
    t.currency,
    t.transaction_date,
    t.reference,
    t.second_reference,
    t.description,
    t.source,
    t.user_name,
    t.urn,
    t.contra_nominals,
    t.statement_date,
    t.statement_page,
    m.message_key,
    cast(
        case
            when c.is_signed then t.cheque_value
            when contains(lower(t.transaction_type), 'payment') then -t.cheque_value
            else t.cheque_value
        end as decimal(18, 2)
    ) as amount
from raw.sage_bank_transactions as t
cross join convention as c
left join outbox.messages as m
    on lower(t.reference) = lower(m.remote_reference) and m.system = 'sage' and m.status <> 'superseded'
