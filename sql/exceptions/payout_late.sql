-- PAYOUT_LATE: a payout is not in the bank although its window is over. One row per settlement.
select
    'PAYOUT_LATE' as code,
    'high' as severity,
    false as blocking,
    'finance' as owner,
    'settlement' as entity_type,
    e.settlement_key as entity_id,
    e.settlement_key,
    cast(null as varchar) as order_id,
    e.amount as amount_at_risk,
    e.currency,
    1 as due_days,
    format(
        'The payout of settlement {}, {} {}, was due on {} and no bank line shows it{}.',
        split_part(e.settlement_key, '-', 2), cast(e.amount as varchar), e.currency,
        strftime(e.expected_on, '%d %b %Y'), coalesce('; Amazon says ' || e.amazon_status, '')
    ) as message,
    'Look into the bank and into Seller Central (Payments, Disbursements). This goes when the line is in Sage.'
        as action
from core.core__bank_expectations as e
inner join core.core__bank_matches as x on e.message_key = x.message_key
inner join control.watermarks as w on w.source = 'sage_banks'
cross join control.as_of as a
where
    e.document = 'payout'
    and x.bank_transaction_id is null
    and not x.is_ambiguous
    and cast(a.moment as date) > e.last_day
    -- What came back in the next settlement is waited for no longer.
    and not exists (
        select 1
        from core.core__settlement_chain as c
        inner join core.planned_documents as p on c.settlement_key = p.settlement_key
        where
            p.document = 'payout_returned'
            and c.account || '-' || c.previous_settlement_id = e.settlement_key
    )
    -- Before its documents are in Sage, nobody waits for a payout there.
    and exists (
        select 1
        from outbox.messages as m
        where m.settlement_key = e.settlement_key and m.status = 'delivered' and m.document <> 'payout'
    )
