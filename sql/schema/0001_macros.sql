-- Money and time rules in SQL. Each money macro has its Python twin in money.py.

-- Whole-number division to the nearest, halves away from zero; the divisor is positive.
create macro round_half_up(numerator, denominator) as
sign(numerator) * ((2 * abs(numerator) + denominator) // (2 * denominator));

create macro to_pence(amount) as cast(cast(amount as decimal(38, 2)) * 100 as hugeint);

create macro from_pence(pence) as cast(cast(pence as decimal(18, 0)) * cast(0.01 as decimal(3, 2)) as decimal(18, 2));

-- The VAT that a VAT-inclusive amount holds.
create macro vat_inside(gross, rate_bp) as
from_pence(round_half_up(to_pence(gross) * rate_bp, cast(10000 + rate_bp as hugeint)));

-- The VAT due on top of a net amount.
create macro vat_on_top(net, rate_bp) as
from_pence(round_half_up(to_pence(net) * rate_bp, cast(10000 as hugeint)));

-- The calendar day of a UTC moment in a time zone.
create macro local_day(moment, zone) as cast(timezone(zone, timezone('UTC', moment)) as date);

create macro period_of(day) as strftime(day, '%Y-%m');

-- The key of a journal line, derived from what it books; the same books give the same key.
create macro journal_line_id(settlement_key, period, document, account_key, vat_treatment, vat_code) as
concat_ws('/', settlement_key, period, document, account_key, nullif(vat_treatment, ''), nullif(vat_code, ''));
