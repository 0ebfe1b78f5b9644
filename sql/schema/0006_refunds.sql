-- How each item of a Sage order was sold when it was sent, VAT inside `gross`: a refund is credited at that rate,
-- whatever the product's tax code or the rules say later. One row per document and item.
create table outbox.covered_items (
    message_key varchar not null,
    order_id varchar not null,
    order_item_id varchar not null,
    seller_sku varchar not null,
    account_key varchar,
    sage_tax_code varchar not null,
    rate_bp integer not null,
    gross decimal(18, 2) not null
);

-- What this Sage site can do and another may not. One row, from the last reading.
create table raw.sage_site (
    has_returns boolean not null,
    read_at timestamp not null
);
