-- SETTLEMENT_CONFLICT: another document says something else about a settlement. One row per settlement and document.
-- The standing document is used; the other is kept aside. Other bytes that say the same are no conflict.
select
    'SETTLEMENT_CONFLICT' as code,
    'high' as severity,
    -- After the first document of the settlement is in Sage it only alarms: nothing is sent again.
    not exists (
        select 1 from outbox.messages as m
        where m.settlement_key = s.settlement_key and m.status in ('sending', 'delivered')
    ) as blocking,
    'finance' as owner,
    'document' as entity_type,
    d.document_sha256 as entity_id,
    s.settlement_key,
    cast(null as varchar) as order_id,
    abs(d.total_amount - s.total_amount) as amount_at_risk,
    s.currency,
    2 as due_days,
    format(
        'Settlement {}: {} ({} lines, {} {}) says something else than {} ({} lines, {} {}), which was here first.',
        s.settlement_id,
        d.file_name,
        d.line_count,
        cast(d.total_amount as varchar),
        d.currency,
        s.file_name,
        s.line_count,
        cast(s.total_amount as varchar), s.currency
    ) as message,
    format(
        'Compare both with Seller Central. Then run `amazon-sage choose {} --by NAME` for the first, '
        || 'or `amazon-sage choose {} --by NAME` for the other.',
        left(s.document_sha256, 12), left(d.document_sha256, 12)
    ) as action
from raw.settlement_documents as d
inner join core.core__settlements as s on d.settlement_key = s.settlement_key and d.document_sha256 <> s.document_sha256
left join control.document_choices as chosen
    on s.settlement_key = chosen.settlement_key and d.landed_at <= chosen.chosen_at
left join staging.stg_amazon__document_controls as ours on s.document_sha256 = ours.document_sha256
left join staging.stg_amazon__document_controls as theirs on d.document_sha256 = theirs.document_sha256
where
    chosen.settlement_key is null
    and (
        d.total_amount <> s.total_amount
        or d.currency <> s.currency
        or ours.fingerprint is distinct from theirs.fingerprint
    )
