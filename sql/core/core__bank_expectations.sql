-- The bank movements that Amazon's own money makes outside the wallet: payouts into the main bank, charges to the card.
-- `amount` is signed from the bank's side, in `currency`; the window is where its line may stand. One row per document.
with told as (
    -- A payout that failed can be followed by another for the same settlement: the newest stands.
    select
        account,
        settlement_id,
        status,
        trace_id
    from raw.amazon_payouts
    qualify row_number() over (partition by account, settlement_id order by created_at desc, payout_id desc) = 1
)

select
    p.settlement_key,
    p.message_key,
    p.document,
    p.currency,
    p.document_date as expected_on,
    a.nominal_code,
    wallet.nominal_code as wallet_code,
    y.status as amazon_status,
    y.trace_id,
    case when p.payload ->> '$.bank_to' = a.nominal_code then p.amount else -p.amount end as amount,
    p.document_date - r.days_before as first_day,
    case
        when r.working_days_after = 0 then p.document_date
        else working_day_after(p.document_date, r.working_days_after)
    end as last_day
from core.planned_documents as p
cross join control.payout_rules as r
inner join core.core__settlements as s on p.settlement_key = s.settlement_key
inner join core.core__ledger_accounts as a
    on
        p.currency = a.currency
        and a.account_key = case when p.document = 'payout' then 'bank_main' else 'bank_card' end
inner join core.core__ledger_accounts as wallet on p.currency = wallet.currency and wallet.account_key = 'wallet'
left join told as y
    on p.document = 'payout' and s.account = y.account and s.settlement_id = y.settlement_id
where p.document in ('payout', 'card_charge')
