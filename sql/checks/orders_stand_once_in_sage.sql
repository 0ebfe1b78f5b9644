-- Each delivered sales order stands once in Sage under its Amazon number, with what the buyer paid. One that somebody
-- cancelled there is still shown by Sage; one that is not shown at all is a failure.
select
    format(
        '{}: {} orders in Sage under {}, {} instead of {}', p.message_key, count(o.document_no), p.remote_reference,
        coalesce(string_agg(o.gross::varchar, ' and ' order by o.gross), 'nothing'), p.amount::varchar
    ) as failure
from finance.postings as p
inner join finance.sources as f on f.source = 'sage_orders' and p.delivered_at < f.read_at
left join finance.sage_orders as o on lower(p.remote_reference) = lower(o.customer_document_no)
where p.status = 'delivered' and p.kind = 'sop_order'
group by p.message_key, p.remote_reference, p.amount
having
    count(o.document_no) = 0
    or count(o.document_no) filter (where o.status <> 'Cancelled') > 1
    or max(o.gross) filter (where o.status <> 'Cancelled') <> p.amount
