-- Every line of every settlement with what it is and where it is booked. `amount` is towards the seller.
-- `line_number` is the line of the landed file `document_sha256`; `journal_line_id` leads to finance.journal_lines.
with p as (select distinct settlement_key from core.core__journal_parts)

select
    s.account,
    s.settlement_id,
    t.line_number,
    t.transaction_type,
    t.amount_type,
    t.amount_description,
    t.amount,
    t.currency,
    t.posted_at,
    t.order_id,
    t.sku,
    t.quantity,
    t.fulfilment,
    coalesce(l.marketplace, t.marketplace_name) as marketplace,
    l.row_group,
    l.account_key,
    a.nominal_code,
    l.vat_treatment,
    case
        when l.document is not null and p.settlement_key is not null
            then journal_line_id(
                l.settlement_key, l.period, l.document, l.account_key, l.analysis_treatment, l.vat_code
            )
    end as journal_line_id,
    l.owner as revenue_owner,
    l.problem,
    t.part,
    s.document_sha256
from core.core__settlements as s
inner join staging.stg_amazon__settlement_lines as t on s.document_sha256 = t.document_sha256
left join core.core__settlement_lines as l
    on s.settlement_key = l.settlement_key and t.line_number = l.line_number and t.part = l.part
left join core.core__ledger_accounts as a on s.currency = a.currency and l.account_key = a.account_key
left join p on s.settlement_key = p.settlement_key
