-- What each settlement adds to the UK VAT return, by period and box, in `currency`. Sales of Sage orders are not here:
-- their invoice carries the VAT. Box 1 and 6: positive is due or sold; box 4 and 7: positive is reclaimed or bought.
with boxes as (select unnest([1, 4, 6, 7]) as box),

boxed as (
    select
        p.settlement_key,
        p.period,
        p.net,
        p.vat,
        boxes.box,
        p.box_vat = '1' as is_sale_vat,
        p.box_net = '6' as is_sale_net
    from core.core__journal_parts as p
    inner join boxes
        on contains(p.box_vat || ' ' || p.box_net, cast(boxes.box as varchar))
)

select
    s.account,
    s.settlement_id,
    b.period,
    b.box,
    cast(
        sum(
            case
                when b.box in (1, 4) then if(b.is_sale_vat, b.vat, -b.vat)
                else if(b.is_sale_net, b.net, -b.net)
            end
        ) as decimal(18, 2)
    ) as amount,
    s.currency
from boxed as b
inner join core.core__settlements as s on b.settlement_key = s.settlement_key
group by all
order by s.account, s.settlement_id, b.period, b.box
