-- The journal of every ready settlement moves the wallet by the header total.
select
    format(
        'settlement {}: wallet {}, header {}', p.settlement_id, p.wallet_movement::varchar, p.header_total::varchar
    ) as failure
from finance.payout_reconciliation as p
inner join finance.settlements as s on p.account = s.account and p.settlement_id = s.settlement_id
where s.status not in ('quarantined', 'held') and p.wallet_movement <> p.header_total
