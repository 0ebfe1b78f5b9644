-- Documents wait only for settlements that are proven, and each document stands once.
select format('{}: settlement {} is {}', p.message_key, p.settlement_id, s.status) as failure
from finance.postings as p
left join
    finance.settlements as s
    on split_part(p.message_key, '/', 1) = s.account and p.settlement_id = s.settlement_id
where
    p.settlement_id is not null
    and (s.status is null or (s.status in ('quarantined', 'held') and p.status in ('planned', 'approved')))
union all
select format('{} stands {} times in the plan', message_key, count(*)) as failure
from finance.postings
group by message_key
having count(*) > 1
union all
select format('the reference {} stands for {} documents', remote_reference, count(*)) as failure
from finance.postings
group by remote_reference
having count(*) > 1
