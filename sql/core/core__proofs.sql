-- One row per settlement: whether its lines can be trusted. `difference` is header total less lines, 0.00 when proven.
with failures as (
    select
        document_sha256,
        count(distinct line_number) as failed_lines
    from raw.line_failures
    group by document_sha256
)

select
    s.settlement_key,
    s.document_sha256,
    s.currency_count,
    s.total_amount - s.lines_total as difference,
    coalesce(f.failed_lines, 0) as failed_lines,
    coalesce(f.failed_lines, 0) = 0 and s.currency_count <= 1 and s.total_amount = s.lines_total as is_sound
from core.core__settlements as s
left join failures as f on s.document_sha256 = f.document_sha256
