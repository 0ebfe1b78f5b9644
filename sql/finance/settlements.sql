-- Every settlement known: its header, its lines added up, and where it stands.
-- Amounts in `currency`, towards the seller; `difference` is header less lines. Times UTC. One row per settlement.
select
    s.account,
    s.settlement_id,
    s.marketplace,
    s.currency,
    s.start_at,
    s.end_at,
    s.deposit_date,
    s.line_count,
    s.lines_total,
    s.total_amount as header_total,
    cast(s.total_amount - s.lines_total as decimal(18, 2)) as difference,
    t.status,
    t.hold_reason,
    s.document_sha256,
    s.file_name
from core.core__settlements as s
inner join core.core__settlement_status as t on s.settlement_key = t.settlement_key
order by s.account, s.start_at, s.settlement_id
