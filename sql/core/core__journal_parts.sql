-- The settlement's lines added up to what a Sage document line holds: one row per document, account and treatment.
-- Empty unless the settlement is sound and every line can be booked. Amounts are towards the seller; `amount` moves
-- the wallet, `net` goes to the account, `vat` to the VAT account (on top of `net` where boxes are 1+4).
with settlement as (
    select
        s.settlement_key,
        s.start_day,
        s.end_day
    from core.core__settlements as s
    inner join core.core__proofs as p on s.settlement_key = p.settlement_key
    where
        s.settlement_key = $settlement_key
        and p.is_sound
        and not exists (
            select 1
            from core.core__settlement_lines as l
            where l.settlement_key = $settlement_key and l.problem is not null
        )
),

booked as (
    select
        l.settlement_key,
        l.period,
        l.document,
        l.analysis_account as account_key,
        l.analysis_treatment as vat_treatment,
        l.vat_code,
        l.box_vat,
        l.box_net,
        max(l.posted_day) as last_posted_day,
        cast(sum(l.amount) as decimal(18, 2)) as amount,
        cast(sum(l.net) as decimal(18, 2)) as net,
        cast(sum(l.vat) as decimal(18, 2)) as vat,
        count(*) as line_count
    from core.core__settlement_lines as l
    where l.settlement_key = $settlement_key and l.document is not null
    group by all
),

-- The debt that this settlement takes over closes the one before: dated at its end, which is this one's start.
carried as (
    select cast(-sum(amount) as decimal(18, 2)) as amount
    from booked
    where document = 'debt' and account_key = 'debt_forward'
)

select
    b.settlement_key,
    b.period,
    b.document,
    -- A part of an earlier month is dated at that month's end, the last part at the settlement's own end.
    case
        when b.period < period_of(s.end_day) then last_day(cast(strptime(b.period || '-01', '%Y-%m-%d') as date))
        when b.period > period_of(s.end_day) then max(b.last_posted_day) over (partition by b.period, b.document)
        else s.end_day
    end as document_date,
    b.account_key,
    b.vat_treatment,
    b.vat_code,
    b.box_vat,
    b.box_net,
    b.amount,
    b.net,
    b.vat,
    b.line_count
from booked as b
inner join settlement as s on b.settlement_key = s.settlement_key
union all by name
select
    s.settlement_key,
    period_of(s.start_day) as period,
    'debt_carry' as document,
    s.start_day as document_date,
    'debt_forward' as account_key,
    'no_vat' as vat_treatment,
    '' as vat_code,
    '' as box_vat,
    '' as box_net,
    c.amount,
    c.amount as net,
    cast(0.00 as decimal(18, 2)) as vat,
    0 as line_count
from settlement as s
inner join carried as c on c.amount <> 0
