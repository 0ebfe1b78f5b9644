-- Orders as Amazon tells them, what Sage has of them, and the money that comes back. Nothing here names a person:
-- names, addresses and telephone numbers are kept in a file of their own and go when an order no longer needs them.

-- The newest word on each order. Times UTC; `order_total` is what the buyer pays, in `currency`, null while pending.
-- `shipped_at` is when Amazon first told us that it is sent; `ship_country` from the address or a report.
create table raw.amazon_orders (
    order_id varchar primary key,
    account varchar not null,
    marketplace varchar not null,
    fulfilment varchar not null,
    status varchar not null,
    purchased_at timestamp not null,
    updated_at timestamp not null,
    ship_by_at timestamp,
    shipped_at timestamp,
    ship_country varchar,
    currency varchar,
    order_total decimal(18, 2),
    is_business boolean not null,
    is_incomplete boolean not null,
    read_at timestamp not null
);

-- Items of those orders. Amounts are what the buyer pays for the whole quantity, VAT inside and discounts taken off;
-- `gross` holds postage and gift wrap too, `vat` is what Amazon shows in it, null where it shows none.
create table raw.amazon_order_items (
    order_id varchar not null,
    order_item_id varchar not null,
    seller_sku varchar not null,
    title varchar not null,
    quantity integer not null,
    currency varchar,
    gross decimal(18, 2),
    vat decimal(18, 2),
    postage decimal(18, 2) not null,
    postage_vat decimal(18, 2) not null,
    wrap decimal(18, 2) not null,
    wrap_vat decimal(18, 2) not null,
    is_withheld boolean not null,
    primary key (order_id, order_item_id)
);

-- Orders that Amazon told in a way that cannot be read, and why. The row goes when a later word can be read.
create table raw.unreadable_orders (
    order_id varchar primary key,
    account varchar not null,
    reason varchar not null,
    read_at timestamp not null
);

-- Whom an order goes to, as a hash: the words are in the file of personal data until `erased_at`.
create table raw.recipients (
    order_id varchar primary key,
    recipient_hash varchar,
    obtained_at timestamp not null,
    erased_at timestamp
);

-- Orders as the daily report tells them, to see that none is missing. It also says where each goes.
create table raw.reported_orders (
    order_id varchar primary key,
    account varchar not null,
    status varchar not null,
    ship_country varchar not null,
    purchased_at timestamp not null,
    updated_at timestamp not null,
    document_sha256 varchar not null
);

-- Goods that came back. `returned_units` as the report says; `disposition` is Amazon's word for their state.
create table raw.amazon_returns (
    account varchar not null,
    return_key varchar not null,
    order_id varchar not null,
    seller_sku varchar not null,
    returned_units integer not null,
    returned_on date not null,
    disposition varchar not null,
    reason varchar not null,
    document_sha256 varchar not null,
    primary key (account, return_key)
);

-- Money events of orders. `status` DEFERRED is held by Amazon, RELEASED is paid, DEFERRED_RELEASED stands for neither.
create table raw.amazon_transactions (
    account varchar not null,
    transaction_id varchar not null,
    kind varchar not null,
    status varchar not null,
    order_id varchar not null,
    refund_id varchar not null,
    settlement_id varchar not null,
    posted_at timestamp not null,
    matures_at timestamp,
    amount decimal(18, 2) not null,
    currency varchar not null,
    read_at timestamp not null,
    primary key (account, transaction_id)
);

-- What each refund gives back to the buyer, per item: gross with VAT, below zero.
create table raw.amazon_refund_items (
    account varchar not null,
    transaction_id varchar not null,
    item_number integer not null,
    adjustment_item_id varchar not null,
    seller_sku varchar not null,
    gross decimal(18, 2) not null,
    vat decimal(18, 2) not null,
    primary key (account, transaction_id, item_number)
);

-- Stock items in Sage. `tax_code` is Sage's code of the item's VAT, empty where it has none.
create table raw.sage_products (
    id bigint primary key,
    code varchar not null,
    name varchar not null,
    tax_code varchar not null,
    updated_at timestamp
);

-- Sales orders in Sage of the customers that stand for Amazon's sites, as they change.
create table raw.sage_orders (
    id bigint primary key,
    document_no varchar not null,
    customer_document_no varchar not null,
    customer_id bigint not null,
    document_date date not null,
    status varchar not null,
    despatch_status varchar not null,
    invoice_status varchar not null,
    gross decimal(18, 2) not null,
    vat decimal(18, 2) not null,
    updated_at timestamp not null
);

-- Which sales-ledger invoice or credit note a Sage order or return became.
create table raw.sage_order_invoices (
    order_id bigint not null,
    invoice_no varchar not null,
    invoiced_on date not null,
    primary key (order_id, invoice_no)
);

-- The sales ledger of those customers: amounts as sizes, `sign` 1 where the customer owes, -1 where we owe.
create table raw.sage_sales_entries (
    id bigint primary key,
    urn varchar not null,
    customer_id bigint not null,
    kind varchar not null,
    sign integer not null,
    reference varchar not null,
    second_reference varchar not null,
    transaction_date date not null,
    gross decimal(18, 2) not null,
    vat decimal(18, 2) not null,
    outstanding decimal(18, 2) not null,
    updated_at timestamp not null
);

-- Why an order or a refund cannot become a document, found while the document was built. Replaced at each planning.
create table core.document_problems (
    entity_type varchar not null,
    entity_id varchar not null,
    code varchar not null,
    order_id varchar,
    detail varchar not null,
    primary key (entity_type, entity_id, code)
);

-- Which orders a daily order, and which refunds a credit note, was made of.
create table outbox.covered_orders (
    message_key varchar not null,
    order_id varchar not null,
    gross decimal(18, 2) not null,
    primary key (message_key, order_id)
);

-- Bytes that were erased because they could name people. Their hash stays as proof of what was there.
create table control.erased_documents (
    document_sha256 varchar primary key,
    kind varchar not null,
    erased_at timestamp not null
);

-- From the profile and sku_aliases.csv; replaced whole whenever they are loaded.
create table control.sku_aliases (
    account varchar not null,
    marketplace varchar not null,
    seller_sku varchar not null,
    stock_code varchar not null,
    units_per_sku integer not null
);

create table control.order_rules (
    tolerance decimal(18, 2) not null,
    unpaid_after_days integer not null,
    unreturned_after_days integer not null
);

-- The currency that each of Amazon's sites sells in.
create table control.site_currencies (
    marketplace varchar primary key,
    currency varchar not null
);

-- What every file of `sql/exceptions` found when it was last asked, one file after the other: as one query over all of
-- them it would take many times as long.
drop view if exists exceptions.open_exceptions;

create table exceptions.open_exceptions (
    code varchar not null,
    severity varchar not null,
    blocking boolean not null,
    owner varchar not null,
    entity_type varchar not null,
    entity_id varchar not null,
    settlement_key varchar,
    order_id varchar,
    amount_at_risk decimal(18, 2),
    currency varchar,
    due_days integer not null,
    message varchar not null,
    action varchar not null
);
