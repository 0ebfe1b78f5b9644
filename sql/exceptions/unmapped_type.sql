-- UNMAPPED_TYPE: row labels that no rule knows, or that two rules claim. One row per settlement and triple of labels.
select
    'UNMAPPED_TYPE' as code,
    'high' as severity,
    true as blocking,
    'finance' as owner,
    'settlement_row' as entity_type,
    concat_ws('/', m.settlement_key, m.transaction_type, m.amount_type, m.amount_description) as entity_id,
    m.settlement_key,
    cast(null as varchar) as order_id,
    abs(m.amount) as amount_at_risk,
    s.currency,
    2 as due_days,
    format(
        'Settlement {}: {} lines of {} {} are "{}" / "{}" / "{}", which {}.',
        s.settlement_id,
        m.line_count,
        cast(m.amount as varchar),
        s.currency,
        m.transaction_type,
        m.amount_type,
        m.amount_description,
        if(m.status = 'ambiguous', 'two regex rules claim', 'no rule knows')
    ) as message,
    if(
        m.status = 'ambiguous',
        'Narrow one of the two regex rules in settlement_rows.csv, then run `amazon-sage settle`.',
        'Add a row with these three labels to settlement_rows.csv, with its account and VAT, then run '
        || '`amazon-sage settle`. Until then the whole settlement waits.'
    ) as action
from core.row_matches as m
inner join core.core__settlements as s on m.settlement_key = s.settlement_key
inner join core.core__proofs as p on m.settlement_key = p.settlement_key
where
    m.status in ('unmapped', 'ambiguous')
    and p.is_sound
    and exists (
        select 1
        from core.core__settlement_lines as l
        where l.settlement_key = m.settlement_key and l.problem = 'UNMAPPED_TYPE'
    )
