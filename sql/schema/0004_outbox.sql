-- What leaves the house: one row per document for a remote system, and everything that ever happened to it.
-- Amounts are positive, in `currency`; times UTC. Rows are never deleted.
create schema outbox;

create table outbox.messages (
    message_key varchar primary key,
    system varchar not null,
    kind varchar not null,
    settlement_key varchar,
    document varchar not null,
    period varchar not null,
    document_date date not null,
    order_id varchar,
    remote_reference varchar not null,
    amount decimal(18, 2) not null,
    currency varchar not null,
    payload varchar not null,
    payload_hash varchar not null,
    status varchar not null check (
        status in ('planned', 'approved', 'sending', 'delivered', 'rejected', 'held', 'superseded')
    ),
    remote_id varchar,
    remote_date date,
    due_at timestamp not null,
    priority integer not null,
    attempts integer not null,
    last_error varchar,
    hold_code varchar,
    approved_by varchar,
    approved_at timestamp,
    approved_hash varchar,
    sent_at timestamp,
    delivered_at timestamp,
    created_at timestamp not null
);

-- Append-only: who or what did what to a message, when, and in whose words.
create table outbox.events (
    message_key varchar not null,
    happened_at timestamp not null,
    event varchar not null,
    status varchar not null,
    actor varchar not null,
    detail varchar not null
);

-- What a person approved: the hash covers every document of the settlement as it stood then.
create table outbox.approvals (
    settlement_key varchar not null,
    approved_by varchar not null,
    approved_at timestamp not null,
    content_hash varchar not null,
    document_count integer not null
);

-- Entries of the banks that matter here, as Sage shows them, read anew as they change. `cheque_value` as Sage signs it.
create table raw.sage_bank_transactions (
    id bigint primary key,
    bank_id bigint not null,
    bank_code varchar not null,
    nominal_code varchar not null,
    currency varchar not null,
    transaction_type varchar not null,
    description varchar not null,
    reference varchar not null,
    second_reference varchar not null,
    transaction_date date not null,
    cheque_value decimal(18, 2) not null,
    source varchar not null,
    user_name varchar not null,
    urn varchar not null,
    contra_nominals varchar[] not null,
    statement_date date,
    statement_page integer not null,
    updated_at timestamp
);

-- Nominal postings in Sage that bear our references.
create table raw.sage_nominal_lines (
    id bigint primary key,
    reference varchar not null,
    nominal_code varchar not null,
    debit decimal(18, 2) not null,
    credit decimal(18, 2) not null,
    transaction_date date not null,
    urn varchar not null
);

-- Payouts as Amazon tells them. Amazon does not tell them for every seller.
create table raw.amazon_payouts (
    account varchar not null,
    payout_id varchar not null,
    settlement_id varchar not null,
    status varchar not null,
    amount decimal(18, 2) not null,
    currency varchar not null,
    account_tail varchar not null,
    trace_id varchar not null,
    created_at timestamp not null,
    read_at timestamp not null,
    primary key (account, payout_id)
);

-- When each outside source was last read in full, and how far.
create table control.watermarks (
    source varchar primary key,
    reached varchar not null,
    read_at timestamp not null
);

-- Which bank line a person says a payout is.
create table control.payout_choices (
    settlement_key varchar primary key,
    bank_transaction_id varchar not null,
    chosen_by varchar not null,
    chosen_at timestamp not null
);

-- How payouts are matched to the bank, from the profile; replaced whole whenever the profile is loaded.
create table control.payout_rules (
    days_before integer not null,
    working_days_after integer not null,
    bank_text varchar not null,
    posting_route varchar not null
);

-- The moment (UTC) as of which lateness is judged: set when a flow runs, never read from a clock in SQL.
create table control.as_of (
    moment timestamp not null
);

-- The working day (Monday to Friday) that comes `count` working days after a day.
create macro working_day_after(day, count) as
list_filter(
    list_transform(range(1, 2 * count + 5), lambda n: cast(day + cast(n as integer) as date)),
    lambda candidate: isodow(candidate) < 6
)[count];
