-- BAD_ROW: lines that cannot be read or that lack what their kind needs. One row per settlement; it is quarantined.
with failures as (
    select
        document_sha256,
        count(distinct line_number) as failed_lines,
        string_agg(
            format(
                'line {}: {}{}', line_number, reason, if(failed_value = '', '', format(' ({})', left(failed_value, 40)))
            ),
            '; ' order by line_number, field
        ) filter (where place <= 3) as shown
    from (
        select
            *,
            row_number() over (partition by document_sha256 order by line_number, field) as place
        from raw.line_failures
    ) as numbered
    group by document_sha256
)

select
    'BAD_ROW' as code,
    'high' as severity,
    true as blocking,
    'finance' as owner,
    'settlement' as entity_type,
    s.settlement_key as entity_id,
    s.settlement_key,
    cast(null as varchar) as order_id,
    abs(s.total_amount) as amount_at_risk,
    s.currency,
    2 as due_days,
    format(
        'Settlement {} ({}): {} of its {} lines cannot be used. {}{}.',
        s.settlement_id, s.file_name, f.failed_lines, s.line_count, f.shown, if(f.failed_lines > 3, '; and more', '')
    ) as message,
    'Nothing of this settlement is booked. Download it again from Seller Central and settle that file; if Amazon''s '
    || 'own file has these lines, tell engineering.' as action
from core.core__settlements as s
inner join failures as f on s.document_sha256 = f.document_sha256
