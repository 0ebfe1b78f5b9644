-- The double entry of every settlement that has one, by Sage nominal account. Debit and credit in `currency`.
-- A settlement that is quarantined or has a line nobody can book has no journal. One row per document and account.
select
    j.journal_line_id,
    j.account,
    j.settlement_id,
    j.period,
    j.document,
    j.account_key,
    j.nominal_code,
    j.cost_centre,
    j.department,
    j.vat_code,
    j.debit,
    j.credit,
    j.currency,
    j.narrative,
    j.source_line_count,
    j.document_date,
    j.vat_treatment
from core.core__journal_lines as j
order by j.account, j.settlement_id, j.period, j.document, j.journal_line_id
