-- ADDRESS_CHANGED: the buyer's address is another than the one that Sage was sent. One row per order not yet sent.
select
    'ADDRESS_CHANGED' as code,
    'high' as severity,
    false as blocking,
    'operations' as owner,
    'order' as entity_type,
    o.order_id as entity_id,
    cast(null as varchar) as settlement_key,
    o.order_id,
    m.amount as amount_at_risk,
    m.currency,
    1 as due_days,
    format(
        'The delivery address of order {} was changed at Amazon after it went to Sage as {}.',
        o.order_id, coalesce(s.document_no, m.remote_id)
    ) as message,
    'Look it up in Seller Central and correct the address in Sage before the goods go.' as action
from outbox.messages as m
inner join core.core__orders as o on m.order_id = o.order_id and m.document = 'order'
left join raw.sage_orders as s on m.remote_id = cast(s.id as varchar)
where
    m.status = 'delivered'
    and o.is_waiting
    and o.recipient_hash is not null
    and coalesce(s.despatch_status, 'None') = 'None'
    and json_extract_string(m.payload, '$.recipient') not in ('', o.recipient_hash)
