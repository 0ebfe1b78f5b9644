-- ACCOUNT_UNKNOWN: a settlement that fits no seller account of the profile, or more than one. One row per settlement.
select
    'ACCOUNT_UNKNOWN' as code,
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
        'Settlement {} ({}) is in {} and names {}; not exactly one seller account of the profile fits.',
        s.settlement_id, s.file_name, s.currency,
        coalesce(nullif(array_to_string(d.marketplaces, ', '), ''), 'no marketplace')
    ) as message,
    'Name the marketplace and currency under [[accounts]] in the profile, then run `amazon-sage settle`; or settle the '
    || 'file again with `--account NAME`.' as action
from core.core__settlements as s
inner join core.core__proofs as p on s.settlement_key = p.settlement_key
inner join raw.settlement_documents as d on s.document_sha256 = d.document_sha256
where s.account = 'unknown' and p.is_sound
