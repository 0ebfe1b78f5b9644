-- What Sage's own entries did to the wallet is the header total of every posted settlement.
select
    format(
        'settlement {} {}: Sage moved the wallet by {}, the header total is {}', r.account, r.settlement_id,
        r.posted_total::varchar, r.header_total::varchar
    ) as failure
from finance.payout_reconciliation as r
inner join finance.settlements as s on r.account = s.account and r.settlement_id = s.settlement_id
where s.status = 'posted' and r.posted_total <> r.header_total
