-- Why lines cannot be booked, added up: one row per sound settlement and problem, with a few examples for people.
-- `amount` is the sum of the lines' sizes in the settlement's currency, whatever their sign.
with problems as (
    select
        l.settlement_key,
        l.problem,
        l.amount,
        l.vat_treatment,
        concat_ws(' ', l.marketplace, t.fulfilment) as place,
        coalesce(t.order_id, 'line ' || l.line_number) as example,
        row_number() over (partition by l.settlement_key, l.problem order by l.line_number, l.part) as number
    from core.core__settlement_lines as l
    inner join core.core__settlements as s on l.settlement_key = s.settlement_key
    inner join core.core__proofs as p on l.settlement_key = p.settlement_key
    inner join staging.stg_amazon__settlement_lines as t
        on s.document_sha256 = t.document_sha256 and l.line_number = t.line_number and l.part = t.part
    -- Without an account there are no routes; ACCOUNT_UNKNOWN is the cause then.
    where l.problem is not null and p.is_sound and not (l.problem = 'ROUTE_UNKNOWN' and s.account = 'unknown')
)

select
    p.settlement_key,
    p.problem,
    s.settlement_id,
    s.currency,
    count(*) as line_count,
    cast(sum(abs(p.amount)) as decimal(18, 2)) as amount,
    string_agg(distinct p.example, ', ' order by p.example) filter (where p.number <= 3) as examples,
    string_agg(distinct p.place, ', ' order by p.place) as places,
    string_agg(distinct p.vat_treatment, ', ' order by p.vat_treatment) as treatments
from problems as p
inner join core.core__settlements as s on p.settlement_key = s.settlement_key
group by p.settlement_key, p.problem, s.settlement_id, s.currency
