-- Every line that carries money is either booked in a document or names its problem; late tax corrections cancel out.
select
    format(
        'settlement {} line {}: {} is neither booked nor set aside', l.settlement_key, l.line_number,
        l.amount::varchar
    ) as failure
from core.core__settlement_lines as l
where l.amount <> 0 and l.document is null and l.problem is null and l.row_group is distinct from 'retrocharge'
