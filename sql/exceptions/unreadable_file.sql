-- UNREADABLE_FILE: a landed file that is no settlement report, or one that cannot be read. One row per document.
select
    'UNREADABLE_FILE' as code,
    'high' as severity,
    true as blocking,
    'finance' as owner,
    'document' as entity_type,
    document_sha256 as entity_id,
    cast(null as varchar) as settlement_key,
    cast(null as varchar) as order_id,
    cast(null as decimal(18, 2)) as amount_at_risk,
    cast(null as varchar) as currency,
    2 as due_days,
    format('{}: {}', file_name, unreadable_reason) as message,
    'Download the settlement report again from Seller Central as Flat file V2 and settle that file, then run '
    || '`amazon-sage discard ' || left(document_sha256, 12) || ' --by NAME` to set this one aside.' as action
from raw.settlement_documents
where
    unreadable_reason is not null
    and document_sha256 not in (select document_sha256 from control.discarded_documents)
