-- DUPLICATE_IN_SAGE: one of our references stands more than once in a Sage bank. One row per document.
with per_bank as (
    select
        message_key,
        bank_code,
        count(*) as entries
    from staging.stg_sage__bank_entries
    where message_key is not null
    group by message_key, bank_code
    having count(*) > 1
),

doubled as (
    -- A transfer stands in both of its banks and is one document all the same.
    select
        message_key,
        string_agg(bank_code, ' and ' order by bank_code) as banks,
        max(entries) as entries
    from per_bank
    group by message_key
)

select
    'DUPLICATE_IN_SAGE' as code,
    'high' as severity,
    false as blocking,
    'finance' as owner,
    'document' as entity_type,
    d.message_key as entity_id,
    m.settlement_key,
    cast(null as varchar) as order_id,
    m.amount * (d.entries - 1) as amount_at_risk,
    m.currency,
    1 as due_days,
    format(
        '{} ({} {}) stands {} times in the Sage bank {}.',
        m.remote_reference, cast(m.amount as varchar), m.currency, d.entries, d.banks
    ) as message,
    'Reverse the surplus entry in Sage. We sent it once by our own record: somebody else may use our references.'
        as action
from doubled as d
inner join outbox.messages as m on d.message_key = m.message_key
