-- The settlement's double entry: one row per document and account, debit or credit, in the settlement's currency.
-- It balances to 0.00 per document, and the wallet's movement without `debt_carry` is the header total.
with parts as (
    select
        p.*,
        s.account,
        s.settlement_id,
        s.currency,
        s.marketplace
    from core.core__journal_parts as p
    inner join core.core__settlements as s on p.settlement_key = s.settlement_key
    where p.settlement_key = $settlement_key
),

-- `towards_us` is the amount from the wallet's side of the entry: what an account gives, it credits.
entries as (
    select
        period,
        document,
        document_date,
        account_key,
        vat_treatment,
        vat_code,
        sum(net) as towards_us,
        sum(line_count) as source_line_count
    from parts
    group by all
    union all
    select
        period,
        document,
        document_date,
        case when box_vat = '1' then 'output_vat' else 'input_vat' end as account_key,
        vat_treatment,
        vat_code,
        sum(vat) as towards_us,
        sum(line_count) as source_line_count
    from parts
    where vat <> 0
    group by all
    union all
    -- Reverse charge: due and reclaimed at once, the other half of the line above.
    select
        period,
        document,
        document_date,
        'output_vat' as account_key,
        vat_treatment,
        vat_code,
        -sum(vat) as towards_us,
        sum(line_count) as source_line_count
    from parts
    where box_vat = '1+4' and vat <> 0
    group by all
    union all
    select
        period,
        document,
        document_date,
        'wallet' as account_key,
        '' as vat_treatment,
        '' as vat_code,
        -sum(amount) as towards_us,
        sum(line_count) as source_line_count
    from parts
    group by all
)

select
    cast($settlement_key as varchar) as settlement_key,
    journal_line_id($settlement_key, e.period, e.document, e.account_key, e.vat_treatment, e.vat_code)
        as journal_line_id,
    h.account,
    h.settlement_id,
    e.period,
    e.document,
    e.document_date,
    e.account_key,
    a.nominal_code,
    a.cost_centre,
    a.department,
    e.vat_treatment,
    e.vat_code,
    cast(greatest(-e.towards_us, 0) as decimal(18, 2)) as debit,
    cast(greatest(e.towards_us, 0) as decimal(18, 2)) as credit,
    h.currency,
    concat_ws(' ', coalesce(h.marketplace, 'Amazon'), 'settlement', h.settlement_id || ':', a.name) as narrative,
    cast(e.source_line_count as bigint) as source_line_count
from entries as e
cross join core.core__settlements as h
left join core.core__ledger_accounts as a on e.account_key = a.account_key and h.currency = a.currency
where
    h.settlement_key = $settlement_key
    and (e.towards_us <> 0 or e.account_key <> 'wallet')
