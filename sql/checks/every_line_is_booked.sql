-- Every line of a ready settlement that carries money leads to a journal line; late tax corrections cancel out.
select
    format(
        'settlement {} line {}: {} {} has no journal line',
        l.settlement_id,
        l.line_number,
        l.amount::varchar,
        l.currency
    )
        as failure
from finance.settlement_lines as l
inner join finance.settlements as s on l.account = s.account and l.settlement_id = s.settlement_id
left join finance.journal_lines as j on l.journal_line_id = j.journal_line_id
where
    s.status not in ('quarantined', 'held')
    and l.amount <> 0
    and l.row_group is distinct from 'retrocharge'
    and j.journal_line_id is null
