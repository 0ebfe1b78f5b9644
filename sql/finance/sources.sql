-- When each outside source was last read (UTC): what happened there since is not in these tables. One row per source.
select
    source,
    read_at
from control.watermarks
order by source
