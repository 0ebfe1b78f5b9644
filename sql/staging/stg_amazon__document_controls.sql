-- Control figures of one document: its lines counted and added up, and a fingerprint of what they say.
-- Two documents with one fingerprint say the same in other bytes (another encoding, V1 and V2 of one settlement).
select
    cast($document_sha256 as varchar) as document_sha256,
    count(*) as typed_lines,
    cast(coalesce(sum(amount), 0) as decimal(18, 2)) as lines_total,
    cast(
        coalesce(
            sum(
                cast(
                    hash(
                        transaction_type, order_id, adjustment_id, amount_type, amount_description, amount, currency,
                        fulfilment, posted_at, order_item_code, sku
                    ) as hugeint
                )
            ),
            0
        ) as varchar
    ) as fingerprint
from staging.stg_amazon__settlement_lines
where document_sha256 = $document_sha256
