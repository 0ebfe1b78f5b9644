-- A quarantined settlement has no journal.
select format('settlement {} is quarantined and has a journal', s.settlement_id) as failure
from finance.settlements as s
where
    s.status = 'quarantined'
    and exists (
        select 1
        from finance.journal_lines as j
        where j.account = s.account and j.settlement_id = s.settlement_id
    )
