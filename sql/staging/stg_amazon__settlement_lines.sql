-- Settlement lines of one document, typed: one row per amount, signed towards the seller, times UTC.
-- `settlement_report` is the document's canonical file, all text. A value that does not match its form is left empty
-- and named in `problem`; the summary row is left out. Lines are never deduplicated: identity is document and line.
with texts as (
    select
        cast(line_number as integer) as line_number,
        cast(part as integer) as part,
        trim(settlement_id) as settlement_id,
        trim(transaction_type) as transaction_type,
        nullif(trim(order_id), '') as order_id,
        nullif(trim(merchant_order_id), '') as merchant_order_id,
        nullif(trim(adjustment_id), '') as adjustment_id,
        nullif(trim(shipment_id), '') as shipment_id,
        nullif(trim(marketplace_name), '') as marketplace_name,
        trim(amount_type) as amount_type,
        trim(amount_description) as amount_description,
        trim(amount) as amount_text,
        nullif(trim(fulfillment_id), '') as fulfilment,
        coalesce(nullif(trim(posted_date_time), ''), trim(posted_date)) as moment_text,
        nullif(trim(order_item_code), '') as order_item_code,
        nullif(trim(merchant_order_item_id), '') as merchant_order_item_id,
        nullif(trim(merchant_adjustment_item_id), '') as merchant_adjustment_item_id,
        nullif(trim(sku), '') as sku,
        trim(quantity_purchased) as quantity_text,
        nullif(trim(promotion_id), '') as promotion_id,
        coalesce(nullif(trim(currency), ''), $currency) as currency
    from settlement_report
    where trim(total_amount) = ''
),

-- A zone other than UTC is left in place, and then the text is no moment.
utc as (
    select
        * exclude (moment_text),
        case
            when moment_text like '% UTC' then left(moment_text, -4)
            when moment_text like '%+00:00' then replace(left(moment_text, -6), 'T', ' ')
            when moment_text like '%Z' then replace(left(moment_text, -1), 'T', ' ')
            else replace(moment_text, 'T', ' ')
        end as posted_text
    from texts
),

typed as (
    select
        *,
        case
            when $decimals = 'comma' and regexp_full_match(amount_text, '-?(\d{1,16}|\d{1,3}(\.\d{3})+)(,\d{1,2})?')
                then cast(replace(replace(amount_text, '.', ''), ',', '.') as decimal(18, 2))
            when $decimals = 'point' and regexp_full_match(amount_text, '-?(\d{1,16}|\d{1,3}(,\d{3})+)(\.\d{1,2})?')
                then cast(replace(amount_text, ',', '') as decimal(18, 2))
        end as amount,
        coalesce(
            try_strptime(posted_text, $date_format || ' %H:%M:%S'), try_strptime(posted_text, $date_format)
        ) as posted_at
    from utc
)

select
    cast($settlement_key as varchar) as settlement_key,
    cast($document_sha256 as varchar) as document_sha256,
    line_number,
    part,
    transaction_type,
    order_id,
    merchant_order_id,
    adjustment_id,
    shipment_id,
    marketplace_name,
    amount_type,
    amount_description,
    amount,
    currency,
    fulfilment,
    posted_at,
    order_item_code,
    merchant_order_item_id,
    merchant_adjustment_item_id,
    sku,
    try_cast(quantity_text as integer) as quantity,
    promotion_id,
    case
        when amount is null then 'amount'
        when posted_at is null then 'posted-date-time'
        when settlement_id = '' then 'settlement-id'
        when transaction_type = '' then 'transaction-type'
        when quantity_text <> '' and try_cast(quantity_text as integer) is null then 'quantity-purchased'
    end as problem,
    case
        when amount is null then amount_text
        when posted_at is null then posted_text
        when quantity_text <> '' and try_cast(quantity_text as integer) is null then quantity_text
        else ''
    end as problem_value
from typed
