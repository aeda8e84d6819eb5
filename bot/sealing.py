"""Sealed files: what only their owner can read, in the age format (age-encryption.org/v1).

To public keys it is an age file like any other: `age --decrypt -i KEY FILE` opens it. With a
passphrase our library wants the whole text in memory at once, so the file is sealed to a key made
for it alone, and only that key with the passphrase: a line that says so, the sealed key, the file.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

# What a file sealed with a passphrase begins with, and the bytes of its sealed key at most.
_PASSPHRASE = re.compile(rb"jisr passphrase 1 (\d{1,5})\n")
_FIRST_LINE = 64
# Of age's own format, and of its armoured form, which others may have made of our file.
_AGE = (b"age-encryption.org/v1", b"-----BEGIN AGE")


class SealError(Exception):
    """It can't be sealed or opened; the words are for the operator."""


@dataclass(frozen=True, slots=True)
class Passphrase:
    """A passphrase seals, and opens."""

    words: str

    def __repr__(self) -> str:
        return "Passphrase(...)"


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """The keys of those who may open it: `age1...`, or an SSH public key."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """The keys that open it: the text of an identity file of age, or an SSH private key."""

    text: str

    def __repr__(self) -> str:
        return "SecretKeys(...)"


def read_passphrase(path: Path) -> Passphrase:
    """The first line of this file. Raises SealError if it is empty or can't be read."""
    words = _read(path).split("\n", 1)[0].strip()
    if not words:
        raise SealError(f"{path} has no passphrase in its first line.")
    return Passphrase(words)


def read_secret_keys(path: Path) -> SecretKeys:
    """The identities in this file. Raises SealError if it can't be read."""
    return SecretKeys(_read(path))


def seal(
    source: "IO[bytes] | Any", target: "IO[bytes] | Any", lock: Passphrase | PublicKeys
) -> None:
    """Write what `source` reads to `target`, sealed, as a stream. Raises SealError."""
    import pyrage  # noqa: PLC0415  # for the few commands that need it

    if isinstance(lock, PublicKeys):
        recipients = [_public(key) for key in lock.keys]
    else:
        identity = pyrage.x25519.Identity.generate()
        key = pyrage.passphrase.encrypt(str(identity).encode(), lock.words)
        target.write(b"jisr passphrase 1 %d\n" % len(key) + key)
        recipients = [identity.to_public()]
    try:
        pyrage.encrypt_io(source, target, recipients)
    except pyrage.EncryptError as error:  # of the disk, in other words
        raise SealError(f"It can't be written: {error}.") from error


def unseal(source: BinaryIO, target: "IO[bytes] | Any", key: Passphrase | SecretKeys) -> None:
    """Write what is sealed in `source` to `target`. Raises SealError for a wrong key, and for a
    file that was changed or has no end: what was written by then is worth nothing.
    """
    import pyrage  # noqa: PLC0415  # for the few commands that need it

    beginning = source.read(_FIRST_LINE)
    found = _PASSPHRASE.match(beginning)
    if found is None and not beginning.startswith(_AGE):
        raise SealError("This is no backup of Jisr.")
    source.seek(found.end() if found else 0)
    if found and not isinstance(key, Passphrase):
        raise SealError("This backup is sealed with a passphrase: use --passphrase-file.")
    if not found and not isinstance(key, SecretKeys):
        raise SealError("This backup is sealed to public keys: use --identity.")
    if isinstance(key, SecretKeys):
        identities = _identities(key.text)
        wrong = "None of these keys opens this backup, or it was damaged."
    else:
        sealed = source.read(int(found[1]) if found else 0)
        wrong = "This passphrase doesn't open this backup, or it was damaged."
        opened = _or_seal_error(lambda: pyrage.passphrase.decrypt(sealed, key.words), wrong)
        identities = [pyrage.x25519.Identity.from_str(opened.decode())]
        wrong = "This backup was damaged: it can't be read to its end."
    _or_seal_error(lambda: pyrage.decrypt_io(source, target, identities), wrong)


def _or_seal_error(work: "Callable[[], Any]", wrong: str) -> Any:
    import pyrage  # noqa: PLC0415  # for the few commands that need it

    try:
        return work()
    except (pyrage.DecryptError, ValueError) as error:
        raise SealError(wrong) from error
    except OSError as error:
        # What a stream can't read further is told as an error of reading, without a number; what
        # the disk has to say has one.
        if error.errno is None:
            raise SealError(wrong) from error
        raise


def _public(key: str) -> Any:
    import pyrage  # noqa: PLC0415  # for the few commands that need it

    kind = pyrage.ssh if key.startswith("ssh-") else pyrage.x25519
    try:
        return kind.Recipient.from_str(key)
    except pyrage.RecipientError:
        raise SealError(f"{key} is no public key of age (age1...) or SSH.") from None


def _identities(text: str) -> Sequence[Any]:
    import pyrage  # noqa: PLC0415  # for the few commands that need it

    try:
        if "PRIVATE KEY-----" in text:
            return [pyrage.ssh.Identity.from_buffer(text.encode())]
        lines = [line.strip() for line in text.splitlines()]
        keys = [line for line in lines if line and not line.startswith("#")]
        if keys:
            return [pyrage.x25519.Identity.from_str(key) for key in keys]
    except pyrage.IdentityError:
        pass
    raise SealError("The identity file has no secret key of age (AGE-SECRET-KEY-1...) or SSH.")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SealError(f"{path} can't be read: {why}.") from None
