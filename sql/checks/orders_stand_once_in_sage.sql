-- Each delivered sales order stands once in Sage under its Amazon number, with what the buyer paid.
select
    format(
        '{}: {} orders in Sage under {}, {} instead of {}', p.message_key, count(o.document_no), p.remote_reference,
        coalesce(string_agg(o.gross::varchar, ' and '), 'nothing'), p.amount::varchar
    ) as failure
from finance.postings as p
inner join finance.sources as f on f.source = 'sage_orders' and p.delivered_at < f.read_at
left join finance.sage_orders as o
    on lower(p.remote_reference) = lower(o.customer_document_no) and o.status <> 'Cancelled'
where p.status = 'delivered' and p.kind = 'sop_order'
group by p.message_key, p.remote_reference, p.amount
having count(o.document_no) > 1 or max(o.gross) <> p.amount
