-- CHARGEBACK_OPEN: a buyer's bank took a payment back, and nobody has decided what it is. One row per Sage payment.
select
    'CHARGEBACK_OPEN' as code,
    'medium' as severity,
    false as blocking,
    'finance' as owner,
    'document' as entity_type,
    m.message_key as entity_id,
    m.settlement_key,
    case when count(distinct s.order_id) = 1 then min(s.order_id) end as order_id,
    e.outstanding as amount_at_risk,
    m.currency,
    10 as due_days,
    format(
        'Payment {} of {} {} for chargebacks of {} is open on the customer account.',
        m.remote_reference, cast(e.outstanding as varchar), m.currency,
        coalesce(string_agg(distinct s.order_id, ', ' order by s.order_id), 'an unknown order')
    ) as message,
    'Decide in Sage: a credit note if the sale is undone, bad debt if the goods are lost; then allocate the payment '
    || 'to it.'
        as action
from outbox.messages as m
inner join raw.sage_sales_entries as e on m.remote_id = e.urn
left join core.core__settled_orders as s
    on m.settlement_key = s.settlement_key and m.period = s.period and m.document = s.document
where m.document = 'customer_chargebacks' and m.kind = 'sales_payment' and m.status = 'delivered' and e.outstanding > 0
group by m.message_key, m.settlement_key, e.outstanding, m.currency, m.remote_reference
