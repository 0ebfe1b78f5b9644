-- Every settlement that is held or quarantined has an open exception with an owner, a message and an action.
select format('settlement {} is {} and no exception says why', s.settlement_id, s.status) as failure
from finance.settlements as s
where
    s.status in ('held', 'quarantined')
    and not exists (
        select 1
        from finance.exceptions as e
        where e.settlement_id = s.settlement_id and e.blocking and e.owner <> '' and e.message <> '' and e.action <> ''
    )
