-- One row per settlement: the header of the document that stands for it.
-- The first document landed stands, unless a person chose another. Amounts in `currency`, towards the seller.
select
    d.settlement_key,
    d.account,
    d.settlement_id,
    d.marketplace,
    d.currency,
    d.start_at,
    d.end_at,
    d.deposit_date,
    d.total_amount,
    d.line_count,
    d.document_sha256,
    d.file_name,
    d.landed_at,
    coalesce(c.lines_total, 0.00) as lines_total,
    len(d.currencies) as currency_count,
    local_day(d.start_at, p.timezone) as start_day,
    local_day(d.end_at, p.timezone) as end_day
from raw.settlement_documents as d
cross join control.profile as p
left join control.document_choices as chosen on d.settlement_key = chosen.settlement_key
left join staging.stg_amazon__document_controls as c on d.document_sha256 = c.document_sha256
where d.settlement_key is not null
qualify row_number() over (
    partition by d.settlement_key
    order by (d.document_sha256 is not distinct from chosen.document_sha256) desc, d.landed_at, d.document_sha256 asc
) = 1
