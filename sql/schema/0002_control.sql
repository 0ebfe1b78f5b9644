-- The profile and the rule files as tables, replaced whole whenever they are loaded; and what people decided.
create schema control;

create table control.profile (
    company varchar not null,
    base_currency varchar not null,
    established_in varchar not null,
    established_region varchar not null,
    timezone varchar not null
);

create table control.marketplaces (
    marketplace varchar primary key,
    region varchar not null,
    local_fees boolean not null
);

create table control.routes (
    account varchar not null,
    marketplace varchar not null,
    fulfilment varchar not null,
    owner varchar not null,
    vat_treatment varchar not null,
    valid_from date not null,
    valid_to date not null,
    primary key (account, marketplace, fulfilment, valid_from)
);

create table control.ledger_accounts (
    account_key varchar primary key,
    nominal_code varchar not null,
    cost_centre varchar not null,
    department varchar not null,
    name varchar not null
);

create table control.vat_treatments (
    vat_treatment varchar not null,
    valid_from date not null,
    valid_to date not null,
    rate_bp integer not null,
    price_includes_vat boolean not null,
    sage_tax_code varchar not null,
    box_vat varchar not null,
    box_net varchar not null,
    primary key (vat_treatment, valid_from)
);

create table control.sales_accounts (
    vat_treatment varchar primary key,
    account_key varchar not null
);

create table control.local_vat (
    marketplace varchar primary key,
    account_key varchar not null
);

-- Which of two documents of one settlement a person chose.
create table control.document_choices (
    settlement_key varchar primary key,
    document_sha256 varchar not null,
    chosen_by varchar not null,
    chosen_at timestamp not null
);

-- When an exception was first seen; the row goes when its cause is gone.
create table control.exceptions_seen (
    code varchar not null,
    entity_type varchar not null,
    entity_id varchar not null,
    first_seen_at timestamp not null,
    primary key (code, entity_type, entity_id)
);

-- With which rules each settlement was last worked out; other rules make it stale.
create table control.derivations (
    settlement_key varchar primary key,
    rules_fingerprint varchar not null,
    documents_fingerprint varchar not null
);

-- Unreadable documents that a person set aside. Their bytes stay landed.
create table control.discarded_documents (
    document_sha256 varchar primary key,
    discarded_by varchar not null,
    discarded_at timestamp not null
);
