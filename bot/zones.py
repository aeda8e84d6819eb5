"""Which clock-change rules we believe: those of pip's `tzdata`, not those of the host.

Morocco left its clock changes behind: UTC+0 for good from 2026-09-20 (IANA 2026c). Many hosts
still carry older rules and would be an hour wrong, and `zoneinfo` prefers the host's files to the
package's unless told otherwise.
"""

import zoneinfo
from datetime import UTC, datetime, timedelta

MOROCCO = "Africa/Casablanca"
# A day on which old rules say UTC+1 and the present ones UTC+0.
_TELLING_DAY = datetime(2026, 12, 1, tzinfo=UTC)


def prefer_packaged_zones() -> None:
    """Forget the host's zone files. To be called first in the entry point, before any ZoneInfo."""
    zoneinfo.reset_tzpath(to=[])
    zoneinfo.ZoneInfo.clear_cache()


def knows_moroccan_time() -> bool:
    """Whether the zone rules in force know of Morocco's change of September 2026."""
    there = _TELLING_DAY.astimezone(zoneinfo.ZoneInfo(MOROCCO))
    return there.utcoffset() == timedelta(0)
