"""Requests to the Bot API are forms, which every server reads; those without files are quoted here."""

from collections.abc import Mapping

from aiohttp import BytesPayload, Payload
from yarl import URL


def form_of(fields: Mapping[str, str]) -> Payload:
    """A form. yarl quotes in C, several times faster than aiohttp and Python's own library."""
    form = URL.build(query=fields).raw_query_string
    return BytesPayload(form.encode(), content_type="application/x-www-form-urlencoded")
