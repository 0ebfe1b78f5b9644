-- TOTAL_MISMATCH: the lines do not add up to the header's total. One row per settlement; it is quarantined.
select
    'TOTAL_MISMATCH' as code,
    'high' as severity,
    true as blocking,
    'finance' as owner,
    'settlement' as entity_type,
    s.settlement_key as entity_id,
    s.settlement_key,
    cast(null as varchar) as order_id,
    abs(p.difference) as amount_at_risk,
    s.currency,
    2 as due_days,
    format(
        'Settlement {} ({}): its {} lines add up to {} {}, the header says {}; {} is missing or too much.',
        s.settlement_id,
        s.file_name,
        s.line_count,
        cast(s.lines_total as varchar),
        s.currency,
        cast(s.total_amount as varchar),
        cast(abs(p.difference) as varchar)
    ) as message,
    'Nothing of this settlement is booked. Download it again from Seller Central and settle that file; the download '
    || 'may have been cut short.' as action
from core.core__settlements as s
inner join core.core__proofs as p on s.settlement_key = p.settlement_key
where
    p.difference <> 0 and p.failed_lines = 0 and p.currency_count <= 1
    and s.settlement_key not in (select f.settlement_key from core.derivation_failures as f)
