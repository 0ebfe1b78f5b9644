-- What each settlement line is: owner, VAT treatment, account, period and document, with its net and its VAT.
-- One row per line of the standing document. `amount`, `net` and `vat` are towards the seller, in the settlement's
-- currency; net + vat = amount except for reverse charge, where the VAT comes on top and moves no money.
-- `problem` names why a line cannot be booked. A 0.00 line books nothing and needs no owner.
with settlement as (
    select
        s.*,
        p.timezone,
        p.established_region
    from core.core__settlements as s
    cross join control.profile as p
    where s.settlement_key = $settlement_key
),

-- Each line with its rule. Not kept between the uses below: reading it again is cheaper than writing it down.
ruled as not materialized (
    select
        l.line_number,
        l.part,
        l.amount,
        l.order_id,
        l.transaction_type,
        l.amount_type,
        l.order_item_code,
        l.sku,
        l.posted_at,
        l.fulfilment,
        l.marketplace_name,
        m.row_group,
        m.account_key as rule_account,
        m.vat_treatment as rule_treatment,
        m.status as rule_status
    from staging.stg_amazon__settlement_lines as l
    inner join settlement as s on l.document_sha256 = s.document_sha256
    left join core.row_matches as m
        on
            s.settlement_key = m.settlement_key
            and l.transaction_type = m.transaction_type
            and l.amount_type = m.amount_type
            and l.amount_description = m.amount_description
),

-- Per item: does Amazon show tax for it, and at which rate? An item is type, order, item code and SKU together.
item_tax as (
    select
        transaction_type,
        order_id,
        order_item_code,
        sku,
        sum(case when row_group like '%\_tax' escape '\' then amount else 0.00 end) as tax,
        sum(case when row_group not like '%\_tax' escape '\' then amount else 0.00 end) as net
    from ruled
    where
        row_group in (
            'sale', 'sale_tax', 'promotion', 'promotion_tax', 'liquidation', 'liquidation_tax',
            'refund', 'refund_tax', 'refund_promotion', 'refund_promotion_tax'
        )
    group by all
    having count(*) filter (where row_group like '%\_tax' escape '\' and amount <> 0) > 0
),

-- Orders from which Amazon keeps the tax as deemed supplier, sale and refund apart; `residual` must be nil.
-- Most settlements have none, so the orders are found first and only their rows are added up.
orders_with_withheld as (
    select distinct
        transaction_type,
        order_id
    from ruled
    where row_group in ('withheld_tax', 'refund_withheld_tax') and amount <> 0
),

withheld_orders as (
    select
        r.transaction_type,
        r.order_id,
        sum(r.amount) as residual
    from ruled as r
    inner join orders_with_withheld as w
        on r.transaction_type = w.transaction_type and r.order_id is not distinct from w.order_id
    where r.row_group like '%\_tax' escape '\' and r.row_group not in ('fee_tax', 'liquidation_tax')
    group by all
),

-- Fees whose VAT stands beside them as a row of its own, and the account of the fee it belongs to.
fee_taxes as (
    select distinct
        transaction_type,
        amount_type,
        order_id,
        posted_at
    from ruled
    where row_group = 'fee_tax'
),

taxed_fees as (
    select
        r.transaction_type,
        r.amount_type,
        r.order_id,
        r.posted_at,
        sum(r.amount) as total,
        min(r.rule_account) filter (where r.row_group <> 'fee_tax') as fee_account,
        min(r.row_group) filter (where r.row_group <> 'fee_tax') as fee_group
    from ruled as r
    inner join fee_taxes as f
        on
            r.transaction_type = f.transaction_type
            and r.amount_type = f.amount_type
            and r.order_id is not distinct from f.order_id
            and r.posted_at = f.posted_at
    where
        r.row_group in (
            'order_fee', 'fba_fee', 'storage', 'inbound', 'removal', 'advertising', 'subscription', 'promotion_fee',
            'postage', 'other_fee', 'fee_tax'
        )
    group by all
),

-- Late tax corrections book nothing when they cancel out per order; these orders are left with something.
open_retrocharges as (
    select coalesce(order_id, '') as order_id
    from ruled
    where row_group = 'retrocharge'
    group by all
    having sum(amount) <> 0
),

placed as (
    select
        r.* exclude (marketplace_name),
        local_day(r.posted_at, s.timezone) as posted_day,
        s.account,
        s.established_region,
        s.currency,
        case
            when
                r.marketplace_name is null
                or r.marketplace_name like 'Non-Amazon%'
                or r.marketplace_name like '%Prod Marketplace'
                then s.marketplace
            else r.marketplace_name
        end as marketplace,
        -- The day of purchase decides whose an order is; where the order is not known, the day of its money stands in.
        coalesce(local_day(o.purchased_at, s.timezone), local_day(r.posted_at, s.timezone)) as owned_day,
        coalesce(o.ship_country, d.ship_country, 'GB') not in ('GB', 'IM') as is_sent_abroad
    from ruled as r
    cross join settlement as s
    left join raw.amazon_orders as o on r.order_id = o.order_id
    left join raw.reported_orders as d on r.order_id = d.order_id
),

owned as (
    select
        p.line_number,
        p.part,
        p.amount,
        p.posted_day,
        p.row_group,
        p.rule_account,
        p.rule_treatment,
        p.rule_status,
        p.marketplace,
        p.is_sent_abroad,
        r.vat_treatment as route_treatment,
        p.established_region,
        coalesce(site.local_fees, false) as local_fees,
        f.fee_account,
        f.total as fee_total,
        f.fee_group,
        coalesce(
            site.region,
            case
                when p.currency = 'GBP' then 'GB'
                when p.currency in ('EUR', 'SEK', 'PLN') then 'EU'
                else 'ELSEWHERE'
            end
        ) as region,
        i.tax is not null as has_tax_row,
        abs(i.net - 20 * i.tax) < 4 * abs(i.net - 5 * i.tax) as taxed_at_reduced_rate,
        w.residual is not null as is_withheld,
        coalesce(w.residual, 0) as withheld_residual,
        f.total is not null as has_fee_tax,
        o.order_id is not null as is_open_retrocharge,
        p.row_group in (
            'sale', 'sale_tax', 'promotion', 'promotion_tax', 'withheld_tax', 'refund', 'refund_tax',
            'refund_promotion', 'refund_promotion_tax', 'refund_withheld_tax', 'chargeback'
        ) as is_order_row,
        case when p.order_id is null then 'settlement' else r.owner end as owner
    from placed as p
    left join control.marketplaces as site on p.marketplace = site.marketplace
    left join control.routes as r
        on
            p.account = r.account
            and p.marketplace = r.marketplace
            and coalesce(p.fulfilment, '') = r.fulfilment
            and p.owned_day between r.valid_from and r.valid_to
    left join item_tax as i
        on
            p.rule_treatment = 'by_order'
            and p.transaction_type = i.transaction_type
            and p.order_id is not distinct from i.order_id
            and p.order_item_code is not distinct from i.order_item_code
            and p.sku is not distinct from i.sku
    left join withheld_orders as w
        on
            p.row_group is not null
            and p.transaction_type = w.transaction_type
            and p.order_id is not distinct from w.order_id
    left join taxed_fees as f
        on
            p.transaction_type = f.transaction_type
            and p.amount_type = f.amount_type
            and p.order_id is not distinct from f.order_id
            and p.posted_at = f.posted_at
    left join open_retrocharges as o on p.row_group = 'retrocharge' and coalesce(p.order_id, '') = o.order_id
),

treated as (
    select
        *,
        is_order_row and owner in ('sop', 'sop_daily') as is_sop,
        row_group like '%\_tax' escape '\' and row_group <> 'fee_tax' as is_tax_row,
        case
            when rule_treatment = 'by_order'
                then
                    case
                        when is_order_row and owner in ('sop', 'sop_daily') then route_treatment
                        when is_withheld
                            then
                                case
                                    when route_treatment like 'marketplace\_%' escape '\' then route_treatment
                                    when region = 'GB' then 'marketplace_zero'
                                    when route_treatment not in ('uk_standard', 'uk_reduced', 'uk_zero', 'exempt')
                                        then route_treatment
                                end
                        when
                            has_tax_row
                            and region = 'GB'
                            and coalesce(route_treatment, 'uk_standard')
                            in ('uk_standard', 'uk_reduced', 'uk_zero', 'exempt')
                            then case when taxed_at_reduced_rate then 'uk_reduced' else 'uk_standard' end
                        else route_treatment
                    end
            when rule_treatment in ('fee_uk', 'fee_cross_border', 'advertising_uk', 'advertising_eu')
                then
                    case
                        when region = 'ELSEWHERE' then 'fee_foreign'
                        when established_region = 'EU' then 'fee_eu_home'
                        when rule_treatment like 'advertising%'
                            then case when region = 'GB' then 'advertising_uk' else 'advertising_eu' end
                        when local_fees then 'fee_foreign'
                        when
                            (region <> 'GB' or is_sent_abroad)
                            and (
                                row_group = 'fba_fee'
                                or (row_group = 'fee_refund' and rule_account = 'fees_fba')
                                or (row_group = 'fee_tax' and fee_group = 'fba_fee')
                            )
                            then 'fee_cross_border'
                        else rule_treatment
                    end
            else rule_treatment
        end as vat_treatment
    from owned
),

-- A tax row that is netted by withheld tax, or that is another country's VAT, is an account of its own without VAT.
rated as (
    select
        t.*,
        v.rate_bp,
        v.price_includes_vat,
        v.sage_tax_code,
        v.box_vat,
        v.box_net,
        t.is_tax_row and t.is_order_row and not t.is_sop and t.is_withheld as is_netted_tax,
        home.account_key as local_vat_account,
        s.account_key as sales_account
    from treated as t
    left join control.vat_treatments as v
        on t.vat_treatment = v.vat_treatment and t.posted_day between v.valid_from and v.valid_to
    left join control.sales_accounts as s on t.vat_treatment = s.vat_treatment
    left join control.local_vat as home on t.marketplace = home.marketplace
),

valued as (
    select
        *,
        case
            when amount = 0 then null
            when row_group = 'retrocharge' and rule_status = 'known'
                then case when is_open_retrocharge then 'RETROCHARGE_OPEN' end
            when rule_status is null or rule_status in ('unmapped', 'ambiguous') then 'UNMAPPED_TYPE'
            when rule_status = 'review' then 'REVIEW_TYPE'
            when is_order_row and owner is null then 'ROUTE_UNKNOWN'
            when is_sop then null
            when is_netted_tax then case when withheld_residual <> 0 then 'TAX_UNPLACED' end
            when row_group = 'fee_tax' and (fee_account is null or box_vat = '1+4') then 'TAX_UNPLACED'
            when is_tax_row and vat_treatment is null then 'VAT_UNRESOLVED'
            when is_tax_row and rule_treatment = 'by_order' and box_vat not like '%1%'
                then case when local_vat_account is null then 'TAX_UNPLACED' end
            when rate_bp is null then 'VAT_UNRESOLVED'
        end as problem,
        case
            when amount = 0 or row_group = 'retrocharge' then 0.00
            when is_sop or is_netted_tax then 0.00
            when is_tax_row and rule_treatment = 'by_order' then case when box_vat like '%1%' then amount else 0.00 end
            when row_group = 'fee_tax' then case when box_vat = '4' then amount else 0.00 end
            when rule_treatment = 'by_order' and has_tax_row then 0.00
            when coalesce(box_vat, '') = '' or (has_fee_tax and price_includes_vat) then 0.00
            when price_includes_vat then vat_inside(amount, rate_bp)
            else vat_on_top(amount, rate_bp)
        end as vat,
        coalesce(box_vat, '') = '1+4' and price_includes_vat is false as is_reverse_charge,
        case
            when is_sop then 'debtors'
            when is_netted_tax then 'marketplace_tax'
            when is_tax_row and rule_treatment = 'by_order' and box_vat not like '%1%' then local_vat_account
            when rule_treatment = 'by_order' and (rule_account = 'sales' or is_tax_row)
                then case when row_group like 'liquidation%' then 'liquidation_sales' else sales_account end
            when row_group = 'fee_tax' then fee_account
            else rule_account
        end as analysis_account
    from rated
)

select
    cast($settlement_key as varchar) as settlement_key,
    line_number,
    part,
    amount,
    posted_day,
    period_of(posted_day) as period,
    row_group,
    marketplace,
    case when is_order_row then owner end as owner,
    problem,
    case when is_reverse_charge then amount else amount - vat end as net,
    vat,
    case
        when problem is not null or amount = 0 or row_group = 'retrocharge' then null
        when is_sop
            then
                case
                    when row_group = 'chargeback' then 'customer_chargebacks'
                    when row_group like 'refund%' then 'customer_refunds'
                    else 'customer_receipts'
                end
        when row_group = 'chargeback' then 'chargebacks'
        when is_order_row then case when row_group like 'refund%' then 'refunds' else 'sales' end
        when row_group like 'liquidation%' then 'liquidations'
        when row_group = 'balance_reserve' then case when amount < 0 then 'reserve_held' else 'reserve_released' end
        when row_group = 'balance_debt' then 'debt'
        when row_group = 'balance_charge' then 'card_charge'
        when row_group = 'balance_transfer' then 'account_transfer'
        when row_group = 'balance_payout' then 'payout_returned'
        when has_fee_tax then case when fee_total < 0 then 'fees' else 'credits' end
        when amount < 0 then 'fees'
        else 'credits'
    end as document,
    analysis_account,
    case when is_sop or is_netted_tax then 'no_vat' else vat_treatment end as analysis_treatment,
    case
        when problem is not null then rule_account
        when vat <> 0 and vat = amount then case when box_vat like '%1%' then 'output_vat' else 'input_vat' end
        else analysis_account
    end as account_key,
    coalesce(vat_treatment, rule_treatment) as vat_treatment,
    case when is_sop or is_netted_tax then '' else coalesce(sage_tax_code, '') end as vat_code,
    case when is_sop or is_netted_tax then '' else coalesce(box_vat, '') end as box_vat,
    case when is_sop or is_netted_tax then '' else coalesce(box_net, '') end as box_net
from valued
