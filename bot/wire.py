"""One request to the Bot API: a form, which every server reads, and no models of the answer."""

from collections.abc import Mapping
from functools import cache

from aiohttp import BytesPayload, ClientError, ClientSession, ClientTimeout, FormData, Payload
from yarl import URL

from bot.channels import Later, Lost, Outcome, Wait
from bot.pace import Pacer
from bot.verdicts import TOKEN_REFUSED, outcome_of, unanswered

# Bot API, LinkPreviewOptions; as JSON, which need not be made anew for each letter.
NO_PREVIEW = '{"is_disabled": true}'
# Seconds for a connection. One that can't be had must fail before the whole request is given up:
# only then do we know that nothing left.
_CONNECT_SECONDS = 10


@cache
def _within(seconds: float) -> ClientTimeout:
    return ClientTimeout(total=seconds, connect=min(_CONNECT_SECONDS, seconds / 2))


def form_of(fields: Mapping[str, str]) -> Payload:
    """A form. yarl quotes in C, several times faster than aiohttp and Python's own library."""
    form = URL.build(query=fields).raw_query_string
    return BytesPayload(form.encode(), content_type="application/x-www-form-urlencoded")


async def post(
    http: ClientSession, url: str, body: FormData | Payload | None, seconds: float
) -> tuple[int, bytes] | Later | Lost:
    """Make a request, which may take so many seconds in all.

    Returns its status (HTTP) and answer, or what it means that none came.
    """
    try:
        async with http.post(url, data=body, timeout=_within(seconds)) as response:
            return response.status, await response.read()
    except (ClientError, OSError) as error:  # TimeoutError is an OSError
        return unanswered(error)


async def tell(
    http: ClientSession, url: str, fields: Mapping[str, str], seconds: float, pacer: Pacer
) -> Outcome:
    """Make a request of which all we need is whether it was accepted, and under which id.

    Its turn has come. After a 429 the pacer is told. Both libraries' models of what is asked and
    answered cost as much as the request itself.
    """
    answer = await post(http, url, form_of(fields), seconds)
    if not isinstance(answer, tuple):
        return answer
    outcome = outcome_of(*answer)
    if isinstance(outcome, Wait) and outcome is not TOKEN_REFUSED:
        pacer.flooded(url.rpartition("/")[2], outcome.seconds)
    return outcome
