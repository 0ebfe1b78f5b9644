-- What Sage's own entries did to the wallet for each settlement, payout and carried debt left out. One row per
-- settlement, whichever way its documents took.
with entries as (
    select
        m.settlement_key,
        b.amount
    from outbox.messages as m
    inner join staging.stg_sage__bank_entries as b on m.message_key = b.message_key
    inner join core.core__ledger_accounts as a
        on m.currency = a.currency and a.account_key = 'wallet' and b.nominal_code = a.nominal_code
    where m.document not in ('payout', 'debt_carry')
    union all
    -- A card charge that somebody had entered by hand moved the wallet as well.
    select
        x.settlement_key,
        -x.bank_amount as amount
    from core.core__bank_matches as x
    inner join core.core__bank_expectations as e on x.message_key = e.message_key
    inner join outbox.messages as m on x.message_key = m.message_key
    where
        x.document = 'card_charge'
        and x.how <> 'ours'
        and list_contains(x.contra_nominals, e.wallet_code)
        and m.status = 'superseded'
    union all
    select
        m.settlement_key,
        n.debit - n.credit as amount
    from outbox.messages as m
    inner join raw.sage_nominal_lines as n on lower(m.remote_reference) = lower(n.reference)
    inner join core.core__ledger_accounts as a
        on m.currency = a.currency and a.account_key = 'wallet' and n.nominal_code = a.nominal_code
    where m.kind = 'journal_file' and m.status = 'delivered'
    union all
    -- An imported journal holds the carried debt of its month too.
    select
        j.settlement_key,
        j.credit - j.debit as amount
    from core.core__journal_lines as j
    where
        j.account_key = 'wallet'
        and j.document = 'debt_carry'
        and (j.settlement_key, j.period) in (
            select (m.settlement_key, m.period) from outbox.messages as m
            where m.kind = 'journal_file' and m.status = 'delivered'
        )
)

select
    settlement_key,
    sum(amount) as posted_total
from entries
group by settlement_key
