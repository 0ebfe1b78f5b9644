create table if not exists sellers (
    name text primary key,
    partner_id text not null,
    client_id text not null,
    client_secret text not null,
    refresh_token text not null unique,
    marketplace_ids text not null,
    has_payouts integer not null default 1
);
create table if not exists access_tokens (token text primary key, seller text not null, expires_at real not null);
create table if not exists documents (
    document_id text primary key,
    seller text not null,
    file text not null,
    is_compressed integer not null,
    content_type text not null
);
create table if not exists reports (
    seller text not null,
    report_id text not null,
    report_type text not null,
    marketplace_ids text not null,
    data_start real,
    data_end real,
    created_at real not null,
    status text not null,
    document_id text not null,
    primary key (seller, report_id)
);
-- A report that was asked for and what it comes to in the end.
create table if not exists requested_reports (
    seller text not null,
    report_id text not null,
    ends_as text not null,
    primary key (seller, report_id)
);
-- A record of the finance APIs or a return, in Amazon's words, with what it is found by.
create table if not exists records (
    kind text not null,
    seller text not null,
    id text not null,
    at real not null,
    content text not null,
    primary key (kind, seller, id)
);
create index if not exists records_by_moment on records (kind, seller, at);
-- An order in Amazon's JSON, with every block, and what it is found by. A hidden one is missed by searchOrders.
create table if not exists orders (
    seller text not null,
    order_id text not null,
    marketplace_id text not null,
    created_at real not null,
    updated_at real not null,
    status text not null,
    fulfilled_by text not null,
    is_hidden integer not null default 0,
    content text not null,
    primary key (seller, order_id)
);
create index if not exists orders_by_update on orders (seller, updated_at, order_id);
create index if not exists orders_by_creation on orders (seller, created_at, order_id);
create table if not exists buckets (
    seller text not null,
    operation text not null,
    tokens real not null,
    at real not null,
    primary key (seller, operation)
);
create table if not exists rates (operation text primary key, per_second real not null, burst integer not null);
create table if not exists requests (
    operation text primary key,
    arrived integer not null default 0,
    throttled integer not null default 0
);
create table if not exists state (name text primary key, value text not null);
