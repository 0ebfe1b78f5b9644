-- REVIEW_TYPE: row labels whose rule finance has not confirmed yet. One row per settlement and triple of labels.
select
    'REVIEW_TYPE' as code,
    'medium' as severity,
    true as blocking,
    'finance' as owner,
    'settlement_row' as entity_type,
    concat_ws('/', m.settlement_key, m.transaction_type, m.amount_type, m.amount_description) as entity_id,
    m.settlement_key,
    cast(null as varchar) as order_id,
    abs(m.amount) as amount_at_risk,
    s.currency,
    5 as due_days,
    format(
        'Settlement {}: {} lines of {} {} are "{}" / "{}" / "{}". The proposal is {}, VAT {}, not confirmed yet.',
        s.settlement_id,
        m.line_count,
        cast(m.amount as varchar),
        s.currency,
        m.transaction_type,
        m.amount_type,
        m.amount_description,
        m.account_key, m.vat_treatment
    ) as message,
    'Check account and VAT of this row in settlement_rows.csv, set its status to known, then run `amazon-sage settle`.'
        as action
from core.row_matches as m
inner join core.core__settlements as s on m.settlement_key = s.settlement_key
inner join core.core__proofs as p on m.settlement_key = p.settlement_key
where
    m.status = 'review'
    and p.is_sound
    and exists (
        select 1
        from core.core__settlement_lines as l
        where l.settlement_key = m.settlement_key and l.problem = 'REVIEW_TYPE'
    )
