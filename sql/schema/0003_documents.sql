-- Landed documents and what was found in them. Times are UTC, amounts in the settlement's currency towards the seller.
create schema raw;
create schema staging;
create schema core;
create schema exceptions;
create schema finance;

-- One row per landed document. An unreadable one has a reason and nothing else.
create table raw.settlement_documents (
    document_sha256 varchar primary key,
    file_name varchar not null,
    source varchar not null,
    landed_at timestamp not null,
    byte_count bigint not null,
    given_account varchar,
    unreadable_reason varchar,
    layout varchar,
    encoding varchar,
    settlement_key varchar,
    account varchar,
    settlement_id varchar,
    marketplace varchar,
    marketplaces varchar[],
    currency varchar,
    currencies varchar[],
    start_at timestamp,
    end_at timestamp,
    deposit_date date,
    total_amount decimal(18, 2),
    decimals varchar,
    date_format varchar,
    line_count bigint
);

-- Lines that could not be read or that lack what their kind needs, with the reason; the document keeps the line itself.
create table raw.line_failures (
    document_sha256 varchar not null,
    line_number integer not null,
    field varchar not null,
    failed_value varchar not null,
    reason varchar not null
);

-- The rule each distinct triple of labels met in a settlement; status known, review, unmapped or ambiguous.
create table core.row_matches (
    settlement_key varchar not null,
    transaction_type varchar not null,
    amount_type varchar not null,
    amount_description varchar not null,
    row_group varchar,
    account_key varchar,
    vat_treatment varchar,
    status varchar not null,
    line_count bigint not null,
    amount decimal(18, 2) not null
);

-- The Sage documents a settlement would become; bank and nominal codes as rules name them, decimals in payload as text.
create table core.planned_documents (
    settlement_key varchar not null,
    message_key varchar not null,
    system varchar not null,
    kind varchar not null,
    document varchar not null,
    period varchar not null,
    document_date date not null,
    remote_reference varchar not null,
    amount decimal(18, 2) not null,
    currency varchar not null,
    payload varchar not null,
    payload_hash varchar not null
);

-- Why a settlement could not be worked out although its document can be read; a fault of ours, not of the data.
create table core.derivation_failures (
    settlement_key varchar not null,
    reason varchar not null
);
