-- What Sage's own wallet entries say of each settlement, payout and carried debt left out. One row per settlement.
select
    m.settlement_key,
    sum(b.amount) as posted_total,
    count(*) as entry_count
from outbox.messages as m
inner join staging.stg_sage__bank_entries as b on m.message_key = b.message_key
inner join core.core__ledger_accounts as a
    on m.currency = a.currency and a.account_key = 'wallet' and b.nominal_code = a.nominal_code
where m.document not in ('payout', 'debt_carry')
group by m.settlement_key
union all
select
    m.settlement_key,
    sum(n.debit - n.credit) as posted_total,
    count(*) as entry_count
from outbox.messages as m
inner join raw.sage_nominal_lines as n on lower(m.remote_reference) = lower(n.reference)
inner join core.core__ledger_accounts as a
    on m.currency = a.currency and a.account_key = 'wallet' and n.nominal_code = a.nominal_code
where m.kind = 'journal_file' and m.status = 'delivered'
group by m.settlement_key
