-- MIXED_CURRENCY: one settlement file names more than one currency. One row per settlement; it is quarantined.
select
    'MIXED_CURRENCY' as code,
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
        'Settlement {} ({}) names the currencies {}; a settlement has one, so its lines cannot be added up.',
        s.settlement_id, s.file_name, array_to_string(d.currencies, ' and ')
    ) as message,
    'Nothing of this settlement is booked. Download it again from Seller Central; two files may have been joined.'
        as action
from core.core__settlements as s
inner join core.core__proofs as p on s.settlement_key = p.settlement_key
inner join raw.settlement_documents as d on s.document_sha256 = d.document_sha256
where len(d.currencies) > 1 and p.failed_lines = 0
