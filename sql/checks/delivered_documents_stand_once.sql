-- Each delivered document is one entry of each Sage bank that it touches, with its amount, as of the last reading.
select
    format(
        '{}: {} entries of {} in the bank {} instead of one of {}', p.message_key, count(b.bank_transaction_id),
        coalesce(string_agg(b.amount::varchar, ' and '), 'nothing'), coalesce(b.nominal_code, 'of the wallet'),
        p.amount::varchar
    ) as failure
from finance.postings as p
inner join finance.sources as f on f.source = 'sage_banks' and p.delivered_at < f.read_at
left join finance.bank_lines as b on p.message_key = b.message_key
where
    p.status = 'delivered'
    and p.kind in ('bank_payment', 'bank_receipt', 'bank_transfer', 'sales_receipt', 'sales_payment')
group by p.message_key, p.amount, b.nominal_code
having count(b.bank_transaction_id) <> 1 or max(abs(b.amount)) <> p.amount
