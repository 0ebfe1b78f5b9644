-- PAYOUT_FAILED: Amazon says that a payout failed. One row per settlement, until it comes back in a later one.
select
    'PAYOUT_FAILED' as code,
    'medium' as severity,
    false as blocking,
    'finance' as owner,
    'settlement' as entity_type,
    e.settlement_key as entity_id,
    e.settlement_key,
    cast(null as varchar) as order_id,
    e.amount as amount_at_risk,
    e.currency,
    3 as due_days,
    format(
        'Amazon says that the payout of settlement {}, {} {}, failed.', split_part(e.settlement_key, '-', 2),
        cast(e.amount as varchar), e.currency
    ) as message,
    'Check the bank details in Seller Central. The money comes back as a row of the next settlement, which clears this.'
        as action
from core.core__bank_expectations as e
where
    e.document = 'payout'
    and e.amazon_status = 'FAILED'
    and not exists (
        select 1
        from core.core__settlement_chain as c
        inner join core.planned_documents as p on c.settlement_key = p.settlement_key
        where
            p.document = 'payout_returned'
            and c.account || '-' || c.previous_settlement_id = e.settlement_key
    )
