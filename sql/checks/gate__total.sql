-- A journal exists only for a settlement whose lines add up to its header total.
select
    format('settlement {}: lines {}, header {}', s.settlement_id, s.lines_total::varchar, s.total_amount::varchar)
        as failure
from core.core__settlements as s
inner join core.core__proofs as p on s.settlement_key = p.settlement_key
where not p.is_sound and s.settlement_key in (select j.settlement_key from core.core__journal_lines as j)
