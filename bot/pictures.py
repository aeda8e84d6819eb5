"""Pictures that are drawn when they are sent, off the event loop: what cameras read."""

import asyncio
from io import BytesIO


async def scannable(link: str) -> bytes:
    """A QR code of this link, as a PNG that a phone's camera reads from another phone's screen."""
    return await asyncio.to_thread(_scannable, link)


def _scannable(link: str) -> bytes:
    import segno  # noqa: PLC0415  # for the few that send pictures

    picture = BytesIO()
    # Correction M mends 15 % (ISO/IEC 18004): glare on a screen. Twelve dots to a module, and the
    # quiet zone of four modules that the standard asks for.
    segno.make(link, micro=False, error="m").save(picture, kind="png", scale=12, border=4)
    return picture.getvalue()
