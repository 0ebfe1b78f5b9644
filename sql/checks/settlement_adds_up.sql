-- The lines of every settlement that is not quarantined add up to its header total.
select
    format(
        'settlement {}: lines {}, header {}',
        s.settlement_id, coalesce(sum(l.amount), 0)::varchar, s.header_total::varchar
    ) as failure
from finance.settlements as s
left join finance.settlement_lines as l on s.account = l.account and s.settlement_id = l.settlement_id
where s.status <> 'quarantined'
group by s.account, s.settlement_id, s.header_total
having coalesce(sum(l.amount), 0) <> s.header_total
