-- MISSING_IN_SAGE: a delivered document is no longer among the entries of its Sage bank. One row per document.
select
    'MISSING_IN_SAGE' as code,
    'high' as severity,
    false as blocking,
    'finance' as owner,
    'document' as entity_type,
    m.message_key as entity_id,
    m.settlement_key,
    cast(null as varchar) as order_id,
    m.amount as amount_at_risk,
    m.currency,
    1 as due_days,
    format(
        '{} ({} {}) was delivered as {} and is not in the Sage bank any more.',
        m.remote_reference, cast(m.amount as varchar), m.currency, m.remote_id
    ) as message,
    'Somebody reversed or deleted it in Sage. Nothing is sent again: enter it by hand if it was a mistake.' as action
from outbox.messages as m
inner join control.watermarks as w on w.source = 'sage_banks'
where
    m.status = 'delivered'
    and m.system = 'sage'
    and m.kind in ('bank_payment', 'bank_receipt', 'bank_transfer', 'sales_receipt', 'sales_payment')
    and w.read_at > m.delivered_at
    and m.message_key not in (
        select b.message_key from staging.stg_sage__bank_entries as b
        where b.message_key is not null
    )
