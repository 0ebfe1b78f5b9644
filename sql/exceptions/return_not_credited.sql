-- RETURN_NOT_CREDITED: Amazon has paid a buyer back, and the sales return in Sage has no credit note, or one over less.
-- One row per refund.
with credited as (
    select
        i.order_id as return_id,
        sum(e.gross) as gross
    from raw.sage_order_invoices as i
    inner join raw.sage_sales_entries as e on i.invoice_no = e.reference and e.sign = -1
    group by i.order_id
)

select
    'RETURN_NOT_CREDITED' as code,
    'medium' as severity,
    false as blocking,
    'finance' as owner,
    'refund' as entity_type,
    m.message_key as entity_id,
    cast(null as varchar) as settlement_key,
    m.order_id,
    cast(m.amount - coalesce(any_value(c.gross), 0) as decimal(18, 2)) as amount_at_risk,
    m.currency,
    5 as due_days,
    format(
        'Settlement {} has paid {} {} back for order {}; its sales return {} is not credited in Sage.',
        string_agg(distinct s.settlement_id, ', '), cast(m.amount as varchar), m.currency, m.order_id,
        m.remote_reference
    ) as message,
    'Receive the return in Sage as far as goods are back, and print its credit note.' as action
from outbox.messages as m
inner join core.core__settled_orders as s
    on
        m.order_id = s.order_id
        and m.message_key = concat_ws('/', s.account, 'refund', s.order_id, s.refund_id)
        and s.document = 'customer_refunds'
left join credited as c on m.remote_id = cast(c.return_id as varchar)
where m.document = 'sales_return' and m.status = 'delivered' and coalesce(c.gross, 0) < m.amount
group by m.message_key, m.order_id, m.amount, m.currency, m.remote_reference
