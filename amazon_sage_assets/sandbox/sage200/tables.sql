-- Amounts are whole pence, rates whole millionths, moments UTC text of one width.
create table settings (key text primary key, value text not null) without rowid;
create table enumerations (list text, id integer, description text, value text, primary key (list, id));

create table clients (client_id text primary key, secret_hash text not null);
create table tokens (
    token text primary key,
    kind text not null check (kind in ('access', 'refresh', 'code')),
    client_id text not null references clients,
    family text not null,
    scope text not null default '',
    redirect_uri text not null default '',
    expires_at text not null,
    state text not null default 'good' check (state in ('good', 'spent', 'dead'))
);

create table currencies (
    id integer primary key autoincrement, iso text not null unique, name text not null, symbol text not null,
    rate integer not null, is_base integer not null, created text not null, updated text not null
);
create table cost_centres (
    id integer primary key autoincrement, code text not null unique, name text not null,
    created text not null, updated text not null
);
create table departments (
    id integer primary key autoincrement, code text not null unique, name text not null,
    created text not null, updated text not null
);
create table nominal_codes (
    id integer primary key autoincrement, reference text not null, cost_centre text not null default '',
    department text not null default '', name text not null, created text not null, updated text not null,
    unique (reference, cost_centre, department)
);
create table tax_codes (
    id integer primary key autoincrement, code integer not null unique, name text not null, rate integer not null,
    notional integer not null, created text not null, updated text not null
);
create table banks (
    id integer primary key autoincrement, code text not null unique, name text not null,
    nominal_id integer not null references nominal_codes, currency_id integer not null references currencies,
    created text not null, updated text not null
);
create table customers (
    id integer primary key autoincrement, reference text not null unique, name text not null,
    currency_id integer not null references currencies, nominal_reference text not null,
    tax_code_id integer references tax_codes, created text not null, updated text not null
);
create table years (id integer primary key autoincrement, start text not null unique, finish text not null);
create table periods (
    id integer primary key autoincrement, year_id integer not null references years, number integer not null,
    start text not null unique, finish text not null, closed integer not null default 0
);

create table documents (
    urn integer primary key, kind text not null, reference text not null, second_reference text not null,
    transaction_date text not null, value integer not null, bank_id integer references banks,
    customer_id integer references customers, source text not null, user_name text not null, posted text not null
);
create index documents_by_reference on documents (reference collate nocase);

create table bank_entries (
    id integer primary key autoincrement, bank_id integer not null references banks, type text not null,
    direction integer not null check (direction in (-1, 1)), value integer not null, base_value integer not null,
    rate integer not null, description text not null, reference text not null, second_reference text not null,
    transaction_date text not null, posted text not null, source text not null,
    urn integer not null references documents, user_name text not null, statement_date text,
    statement_page integer not null default 0, created text not null, updated text not null
);
create index bank_entries_by_bank on bank_entries (bank_id);
create index bank_entries_by_urn on bank_entries (urn);
create index bank_entries_by_reference on bank_entries (reference collate nocase);
create index bank_entries_by_exact_reference on bank_entries (reference);

create table sales_entries (
    id integer primary key autoincrement, customer_id integer not null references customers, type text not null,
    sign integer not null check (sign in (-1, 1)), goods integer not null, tax integer not null,
    discount integer not null, tax_discount integer not null, allocated integer not null default 0,
    base_goods integer not null, base_tax integer not null, base_allocated integer not null default 0,
    rate integer not null, reference text not null, second_reference text not null, transaction_date text not null,
    posted text not null, due_date text not null, settled_date text, settled_immediately integer not null,
    discount_percent integer not null, discount_days integer not null, source text not null,
    urn integer not null references documents, user_name text not null, created text not null, updated text not null
);
create index sales_entries_by_customer on sales_entries (customer_id);
create index sales_entries_by_urn on sales_entries (urn);
create index sales_entries_by_reference on sales_entries (reference collate nocase, customer_id);
create index sales_entries_by_exact_reference on sales_entries (reference, customer_id);
create index sales_entries_by_second_reference on sales_entries (second_reference collate nocase, customer_id);
create index sales_entries_by_exact_second_reference on sales_entries (second_reference, customer_id);

create table allocations (
    id integer primary key autoincrement, sales_entry_id integer not null references sales_entries,
    value integer not null, allocation_date text not null, user_name text not null, created text not null
);
create index allocations_by_entry on allocations (sales_entry_id);

create table tax_entries (
    id integer primary key autoincrement, urn integer not null references documents,
    tax_code_id integer not null references tax_codes, type text not null, goods integer not null, tax integer not null
);
create index tax_entries_by_urn on tax_entries (urn);

-- Postings wait here until the nominal ledger takes them; only then they get the id that readers see.
create table nominal_waiting (
    id integer primary key autoincrement, nominal_id integer not null references nominal_codes,
    transaction_date text not null, reference text not null, narrative text not null, debit integer not null,
    credit integer not null, user_name text not null, source text not null, urn integer not null references documents
);
create table nominal_entries (
    id integer primary key autoincrement, nominal_id integer not null references nominal_codes,
    transaction_date text not null, reference text not null, narrative text not null, debit integer not null,
    credit integer not null, user_name text not null, source text not null, urn integer not null references documents,
    period_id integer not null references periods
);
create index nominal_entries_by_code on nominal_entries (nominal_id, period_id);
create index nominal_entries_by_urn on nominal_entries (urn);
create index nominal_entries_by_reference on nominal_entries (reference collate nocase);
create index nominal_entries_by_exact_reference on nominal_entries (reference);

-- Stock and sales orders: quantities and prices are whole hundred-thousandths.
create table warehouses (
    id integer primary key autoincrement, name text not null unique, description text not null,
    created text not null, updated text not null
);
create table products (
    id integer primary key autoincrement, code text not null unique, name text not null, description text not null,
    barcode text not null, tax_code_id integer references tax_codes,
    nominal_id integer not null references nominal_codes, list_price integer not null,
    created text not null, updated text not null
);
create table warehouse_holdings (
    id integer primary key autoincrement, product_id integer not null references products,
    warehouse_id integer not null references warehouses, in_stock integer not null,
    allocated integer not null default 0, created text not null, updated text not null,
    unique (product_id, warehouse_id)
);
create table couriers (
    id integer primary key autoincrement, name text not null unique, website text not null, tracking_url text not null,
    is_default integer not null, created text not null, updated text not null
);
create table additional_charges (
    id integer primary key autoincrement, code text not null unique, name text not null, value integer not null,
    nominal_id integer not null references nominal_codes, tax_code_id integer references tax_codes,
    created text not null, updated text not null
);

-- Orders and returns. `more` and `delivery` are JSON: fields that Sage keeps and nothing here reckons with.
create table sop_documents (
    id integer primary key autoincrement, kind text not null check (kind in ('order', 'return')),
    document_no text not null, customer_id integer not null references customers, document_date text not null,
    document_status text not null, despatch_status text not null, invoice_status text not null,
    cancelled_status text not null, currency_id integer not null references currencies, rate integer not null,
    tax_inclusive integer not null, goods integer not null, charges integer not null, charges_tax integer not null,
    net integer not null, tax integer not null, customer_document_no text not null, requested text, promised text,
    use_invoice_address integer not null, delivery text not null, more text not null,
    created text not null, updated text not null
);
create index sop_documents_by_no on sop_documents (document_no collate nocase);
create index sop_documents_by_exact_no on sop_documents (document_no);
create index sop_documents_by_customer_no on sop_documents (customer_document_no collate nocase, customer_id);
create index sop_documents_by_exact_customer_no on sop_documents (customer_document_no, customer_id);
create index sop_documents_by_customer on sop_documents (customer_id);

create table sop_lines (
    id integer primary key autoincrement, document_id integer not null references sop_documents,
    line_number integer not null, line_type text not null, product_id integer references products,
    warehouse_id integer references warehouses, code text not null, description text not null,
    quantity integer not null, price integer not null, tax_code_id integer references tax_codes,
    nominal_id integer references nominal_codes, total integer not null, tax integer not null,
    allocated integer not null default 0, despatched integer not null default 0, invoiced integer not null default 0,
    requested text, promised text, more text not null, created text not null, updated text not null
);
create index sop_lines_by_document on sop_lines (document_id);

-- Despatches of orders and receipts of returns.
create table sop_despatches (
    id integer primary key autoincrement, document_no text not null,
    document_id integer not null references sop_documents, despatch_date text not null,
    courier_id integer references couriers, consignment_no text not null, weight integer not null,
    pieces integer not null, notes text not null, user_name text not null, created text not null, updated text not null
);
create index sop_despatches_by_document on sop_despatches (document_id);
create table sop_despatch_lines (
    id integer primary key autoincrement, despatch_id integer not null references sop_despatches,
    line_id integer not null references sop_lines, quantity integer not null, bill_id integer references sop_bills,
    created text not null, updated text not null
);
create index sop_despatch_lines_by_despatch on sop_despatch_lines (despatch_id);
create index sop_despatch_lines_by_line on sop_despatch_lines (line_id);
create index sop_despatch_lines_to_bill on sop_despatch_lines (line_id) where bill_id is null;

-- Invoices of orders and credit notes of returns. The money is in the sales ledger, under the URN.
create table sop_bills (
    id integer primary key autoincrement, document_no text not null,
    document_id integer not null references sop_documents, bill_date text not null, net integer not null,
    tax integer not null, urn integer not null references documents, created text not null, updated text not null
);
create index sop_bills_by_document on sop_bills (document_id);
create index sop_bills_by_no on sop_bills (document_no collate nocase);
create table sop_bill_lines (
    id integer primary key autoincrement, bill_id integer not null references sop_bills,
    line_id integer not null references sop_lines, quantity integer not null, total integer not null,
    tax integer not null, created text not null, updated text not null
);
create index sop_bill_lines_by_bill on sop_bill_lines (bill_id);
create index sop_bill_lines_by_line on sop_bill_lines (line_id);
