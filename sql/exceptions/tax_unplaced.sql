-- TAX_UNPLACED: tax rows that have no home: foreign VAT, kept tax that does not cancel out, fee tax without a fee. One row per settlement.
with affected as (
    select
        l.settlement_key,
        count(*) as line_count,
        sum(abs(l.amount)) as amount,
        string_agg(distinct coalesce(t.order_id, 'line ' || l.line_number), ', ' order by coalesce(t.order_id, 'line ' || l.line_number))
            filter (where l.place <= 3) as shown,
        string_agg(distinct concat_ws(' ', l.marketplace, t.fulfilment), ', ') as places,
        string_agg(distinct l.vat_treatment, ', ') as treatments
    from (
        select *, row_number() over (partition by settlement_key order by line_number, part) as place
        from core.core__settlement_lines
        where problem = 'TAX_UNPLACED'
    ) as l
    inner join core.core__settlements as s on l.settlement_key = s.settlement_key
    inner join staging.stg_amazon__settlement_lines as t
        on s.document_sha256 = t.document_sha256 and l.line_number = t.line_number and l.part = t.part
    group by l.settlement_key
)

select
    'TAX_UNPLACED' as code,
    'high' as severity,
    true as blocking,
    'tax' as owner,
    'settlement' as entity_type,
    a.settlement_key as entity_id,
    a.settlement_key,
    cast(null as varchar) as order_id,
    cast(a.amount as decimal(18, 2)) as amount_at_risk,
    s.currency,
    2 as due_days,
    format(
        'Settlement {}: {} tax lines of {} {} (such as {}) cannot be placed: they are not UK VAT of a sale here, do not '
        || 'cancel out with tax that Amazon kept, or belong to no fee.',
        s.settlement_id, a.line_count, a.amount::varchar, s.currency, a.shown
    ) as message,
    'If the company declares this VAT itself, name its account under [local_vat] in the profile; else correct the '
    || 'route''s vat_treatment. Then run `amazon-sage settle`.' as action
from affected as a
inner join core.core__settlements as s on a.settlement_key = s.settlement_key
inner join core.core__proofs as p on a.settlement_key = p.settlement_key
where p.is_sound
