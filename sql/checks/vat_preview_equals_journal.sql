-- The VAT boxes 1 and 4 of the preview are the VAT accounts of the journal.
with booked as (
    select
        account,
        settlement_id,
        period,
        sum(case when account_key = 'output_vat' then credit - debit else 0 end) as box_1,
        sum(case when account_key = 'input_vat' then debit - credit else 0 end) as box_4
    from finance.journal_lines
    group by all
),

previewed as (
    select
        account,
        settlement_id,
        period,
        sum(case when box = 1 then amount else 0 end) as box_1,
        sum(case when box = 4 then amount else 0 end) as box_4
    from finance.vat_preview
    group by all
)

select
    format(
        'settlement {} {}: journal {} and {}, preview {} and {}',
        settlement_id,
        period,
        b.box_1::varchar,
        b.box_4::varchar,
        coalesce(p.box_1, 0)::varchar,
        coalesce(p.box_4, 0)::varchar
    ) as failure
from booked as b
left join previewed as p using (account, settlement_id, period)
where b.box_1 <> coalesce(p.box_1, 0) or b.box_4 <> coalesce(p.box_4, 0)
