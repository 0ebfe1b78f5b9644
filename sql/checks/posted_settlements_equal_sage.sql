-- What Sage's own entries did to the wallet is the header total of every posted settlement, as of the last reading.
select
    format(
        'settlement {} {}: Sage moved the wallet by {}, the header total is {}', r.account, r.settlement_id,
        r.posted_total::varchar, r.header_total::varchar
    ) as failure
from finance.payout_reconciliation as r
inner join finance.settlements as s on r.account = s.account and r.settlement_id = s.settlement_id
where
    s.status = 'posted'
    and r.posted_total <> r.header_total
    -- What was delivered after the banks were read is looked at next time.
    and not exists (
        select 1
        from finance.postings as p
        where
            p.settlement_id = r.settlement_id
            and p.status = 'delivered'
            and p.delivered_at >= (
                select f.read_at from finance.sources as f
                where f.source = 'sage_banks'
            )
    )
