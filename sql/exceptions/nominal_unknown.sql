-- NOMINAL_UNKNOWN: the journal needs an account that accounts.csv does not give in this currency. One row per account.
select
    'NOMINAL_UNKNOWN' as code,
    'high' as severity,
    true as blocking,
    'finance' as owner,
    'account' as entity_type,
    concat_ws('/', j.settlement_key, j.account_key) as entity_id,
    j.settlement_key,
    cast(null as varchar) as order_id,
    cast(sum(j.debit + j.credit) as decimal(18, 2)) as amount_at_risk,
    j.currency,
    2 as due_days,
    format(
        'Settlement {} is in {}, and accounts.csv has no nominal code for {}.',
        any_value(j.settlement_id), j.currency, j.account_key || '_' || lower(j.currency)
    ) as message,
    format(
        'Create the account in Sage and add the line {} to accounts.csv, then run `amazon-sage settle`.',
        j.account_key || '_' || lower(j.currency)
    ) as action
from core.core__journal_lines as j
where j.nominal_code is null
group by j.settlement_key, j.account_key, j.currency
