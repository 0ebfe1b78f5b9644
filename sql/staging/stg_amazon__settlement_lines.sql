-- Settlement lines of one document, typed: one row per amount, signed towards the seller, times UTC.
-- `settlement_report` is the document's canonical file, all text. A value that does
-- not match its form is left empty and named in `problem`; the summary row is left out.
-- Lines are never deduplicated: a line's identity is its document and its number.
with trimmed as (
    select
        cast(line_number as integer) as line_number,
        cast(part as integer) as part,
        nullif(trim(settlement_id), '') as settlement_id,
        nullif(trim(transaction_type), '') as transaction_type,
        nullif(trim(order_id), '') as order_id,
        nullif(trim(merchant_order_id), '') as merchant_order_id,
        nullif(trim(adjustment_id), '') as adjustment_id,
        nullif(trim(shipment_id), '') as shipment_id,
        nullif(trim(marketplace_name), '') as marketplace_name,
        nullif(trim(amount_type), '') as amount_type,
        nullif(trim(amount_description), '') as amount_description,
        trim(amount) as amount,
        nullif(trim(fulfillment_id), '') as fulfilment,
        coalesce(nullif(trim(posted_date_time), ''), trim(posted_date)) as moment_text,
        nullif(trim(order_item_code), '') as order_item_code,
        nullif(trim(merchant_order_item_id), '') as merchant_order_item_id,
        nullif(trim(merchant_adjustment_item_id), '') as merchant_adjustment_item_id,
        nullif(trim(sku), '') as sku,
        nullif(trim(quantity_purchased), '') as quantity_purchased,
        nullif(trim(promotion_id), '') as promotion_id,
        nullif(trim(currency), '') as currency
    from settlement_report
    where coalesce(trim(total_amount), '') = ''
),

texts as (
    select
        *,
        -- Plain numbers are told by casting there and back; the others must match the file's style to the letter.
        -- Twelve digits are enough for any line, and so many lines cannot overflow a total.
        case
            when $decimals = 'point' and cast(try_cast(amount as decimal(14, 2)) as varchar) = amount
                then amount
            when $decimals = 'point' and regexp_full_match(amount, '-?(\d{1,12}|\d{1,3}(,\d{3}){1,3})(\.\d{1,2})?')
                then replace(amount, ',', '')
            when $decimals = 'comma' and regexp_full_match(amount, '-?(\d{1,12}|\d{1,3}(\.\d{3}){1,3})(,\d{1,2})?')
                then replace(replace(amount, '.', ''), ',', '.')
        end as amount_text
    from trimmed
),

-- A zone other than UTC is left in place, and then the text is no moment.
utc as (
    select
        *,
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
        * replace (cast(amount_text as decimal(18, 2)) as amount),
        amount as original_amount,
        coalesce(
            try_strptime(posted_text, $date_format || ' %H:%M:%S'), try_strptime(posted_text, $date_format)
        ) as posted_at,
        try_cast(quantity_purchased as integer) as quantity
    from utc
)

select
    cast($document_sha256 as varchar) as document_sha256,
    line_number,
    part,
    coalesce(transaction_type, '') as transaction_type,
    order_id,
    -- Amazon repeats the order id here; only a number of the seller's own says something.
    nullif(merchant_order_id, order_id) as merchant_order_id,
    adjustment_id,
    shipment_id,
    marketplace_name,
    coalesce(amount_type, '') as amount_type,
    coalesce(amount_description, '') as amount_description,
    amount,
    coalesce(currency, $currency) as currency,
    fulfilment,
    posted_at,
    order_item_code,
    merchant_order_item_id,
    merchant_adjustment_item_id,
    sku,
    quantity,
    promotion_id,
    case
        when amount is null then 'amount'
        when posted_at is null then 'posted-date-time'
        when settlement_id is null then 'settlement-id'
        when transaction_type is null then 'transaction-type'
        when quantity_purchased is not null and quantity is null then 'quantity-purchased'
    end as problem,
    case
        when amount is null then coalesce(original_amount, '')
        when posted_at is null then coalesce(moment_text, '')
        when quantity_purchased is not null and quantity is null then quantity_purchased
    end as problem_value
from typed
