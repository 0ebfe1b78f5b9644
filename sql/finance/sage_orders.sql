-- Sales orders in Sage of the customers that stand for Amazon's sites, as last read. `customer_document_no` is Amazon's
-- order number, or the number of a daily order; `gross` and `vat` in the customer's currency. One row per Sage order.
select
    o.document_no,
    o.customer_document_no,
    o.document_date,
    o.status,
    o.despatch_status,
    o.invoice_status,
    o.gross,
    o.vat,
    o.updated_at
from raw.sage_orders as o
order by o.document_no
