-- Every document for Sage, from planned to delivered. `amount` is positive, in `currency`; times UTC.
-- `document_date` is the journal's day, `posted_date` the day in Sage. One row per document; superseded ones left out,
-- unless somebody had entered the same by hand.
select
    m.message_key,
    m.system,
    m.kind,
    m.status,
    m.remote_reference,
    m.remote_id,
    m.amount,
    m.currency,
    m.document_date,
    s.settlement_id,
    m.order_id,
    m.attempts,
    m.last_error,
    m.delivered_at,
    m.remote_date as posted_date,
    m.document,
    m.period,
    m.approved_by,
    m.approved_at,
    m.due_at
from outbox.messages as m
left join core.core__settlements as s on m.settlement_key = s.settlement_key
where m.status <> 'superseded' or m.remote_id is not null
order by m.message_key
