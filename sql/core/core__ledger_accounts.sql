-- The Sage account behind each account key, per currency: `wallet` of a EUR settlement is the line `wallet_eur`.
-- Wallet and reserve in a foreign currency have no account until accounts.csv names one.
select
    c.currency,
    a.account_key,
    case
        when own.account_key is not null then own.nominal_code
        when c.currency = p.base_currency or a.account_key not in ('wallet', 'reserve_held') then a.nominal_code
    end as nominal_code,
    coalesce(own.cost_centre, a.cost_centre) as cost_centre,
    coalesce(own.department, a.department) as department,
    coalesce(own.name, a.name) as name
from (
    select distinct currency from raw.settlement_documents
    where currency is not null
) as c
cross join control.profile as p
cross join control.ledger_accounts as a
left join control.ledger_accounts as own
    on c.currency <> p.base_currency and own.account_key = a.account_key || '_' || lower(c.currency)
