"""The files that people and the bot exchange, kept in memory."""

import struct
from dataclasses import dataclass, field, replace

from bot.simulator.errors import bad_request

MAX_DOWNLOAD = 20 * 1024 * 1024
"""Bytes a bot may download. Source: Bot API, "getFile"."""

MAX_UPLOAD = 50 * 1024 * 1024
"""Bytes a bot may upload. Source: Bot API, "Sending files"."""

MAX_PHOTO = 10 * 1024 * 1024
"""Bytes of a photo. Source: Bot API, "Sending files"."""

THUMBNAIL = 90
"""Pixels of the smallest size of a picture. Source: core.telegram.org/api/files, size "s"."""

_FOLDERS = {"photo": "photos", "document": "documents", "voice": "voice", "sticker": "stickers"}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file as the server keeps it; `width` and `height` (pixels) are 0 unless a picture."""

    id: str
    kind: str
    path: str
    name: str
    mime: str
    data: bytes = field(repr=False)
    width: int = 0
    height: int = 0

    @property
    def unique_id(self) -> str:
        """The identifier that all bots see alike."""
        return f"U{self.id}"

    @property
    def size(self) -> int:
        """How many bytes."""
        return len(self.data)


@dataclass(slots=True)
class Files:
    """All files of one simulated server, found by identifier or by download path."""

    by_id: dict[str, StoredFile] = field(default_factory=dict)
    by_path: dict[str, StoredFile] = field(default_factory=dict)
    # The small sizes of pictures, by the identifiers of the large ones.
    small: dict[str, StoredFile] = field(default_factory=dict)

    def keep(self, kind: str, name: str, mime: str, data: bytes) -> StoredFile:
        """Take a file in; `kind` is photo, document, voice or sticker."""
        number = len(self.by_id) - len(self.small) + 1
        suffix = name.rpartition(".")[2] if "." in name else "bin"
        width, height = picture_size(data) or (0, 0)
        stored = StoredFile(
            id=f"SIM{kind[0].upper()}{number:06}",
            kind=kind,
            path=f"{_FOLDERS[kind]}/file_{number}.{suffix}",
            name=name,
            mime=mime,
            data=data,
            width=width,
            height=height,
        )
        self.by_id[stored.id] = self.by_path[stored.path] = stored
        return stored

    def keep_photo(self, name: str, mime: str, data: bytes) -> StoredFile:
        """Take a picture in, in two sizes as Telegram does: each has an identifier of its own."""
        large = self.keep("photo", name, mime, data)
        small = replace(
            large,
            id=f"{large.id}s",
            path=f"photos/small_{large.id}",
            width=min(large.width, THUMBNAIL),
            height=min(large.height, THUMBNAIL),
        )
        self.by_id[small.id] = self.by_path[small.path] = small
        self.small[large.id] = small
        return large

    def again(self, file_id: str, kind: str) -> StoredFile:
        """Find a file that is sent again by its identifier."""
        stored = self.by_id.get(file_id)
        if stored is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        if stored.kind != kind:
            raise bad_request(
                f"can't use file of type {stored.kind.title()} as {kind.title()}",
            )
        return stored

    def upload(self, kind: str, name: str, mime: str, data: bytes) -> StoredFile:
        """Take in what the bot uploads, as strictly as Telegram."""
        if not data:
            raise bad_request("file must be non-empty")
        if kind == "photo":
            if len(data) > MAX_PHOTO:
                raise bad_request(
                    f"file of size {len(data)} bytes is too big for a photo; "
                    f"the maximum size is {MAX_PHOTO} bytes",
                )
            if picture_size(data) is None:
                raise bad_request("IMAGE_PROCESS_FAILED")
        return self.keep(kind, name, mime, data)


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) in pixels of a PNG, GIF or JPEG; None for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:  # noqa: PLR2004 - end of IHDR's size
        width, height = struct.unpack(">II", data[16:24])
        return int(width), int(height)
    if data[:6] in (b"GIF87a", b"GIF89a") and len(data) >= 10:  # noqa: PLR2004 - end of GIF's size
        width, height = struct.unpack("<HH", data[6:10])
        return int(width), int(height)
    if data.startswith(b"\xff\xd8"):
        return _jpeg_size(data)
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Walk a JPEG's segments to its frame header, which holds the size."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004 - every segment begins so
        marker = data[at + 1]
        # SOF0-SOF15, without DHT (C4), JPG (C8) and DAC (CC) that share the range.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # noqa: PLR2004 - as told
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return int(width), int(height)
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None
