-- The history of every document for Sage: what happened, when (UTC), by whom, and in whose words. Append-only.
select
    message_key,
    happened_at,
    event,
    status,
    actor,
    detail
from outbox.events
order by message_key, happened_at
