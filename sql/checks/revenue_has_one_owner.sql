-- Revenue is counted once: no order that Sage has as a sales order is booked as revenue by a settlement as well.
select
    format('order {} is in Sage ({}) and in the journal of settlement {}', o.order_id, o.sage_order, l.settlement_id)
        as failure
from finance.orders as o
inner join finance.settlement_lines as l on o.order_id = l.order_id
where
    o.is_in_sage
    and l.journal_line_id is not null
    and l.revenue_owner = 'settlement'
    and l.row_group in ('sale', 'sale_tax', 'promotion', 'promotion_tax')
group by o.order_id, o.sage_order, l.settlement_id
