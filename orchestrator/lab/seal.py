"""Message encryption: SOAP sealed by the security context of the connection [MS-WSMV 2.2.9.1]."""

import re
import struct
from typing import Protocol

_LENGTH = re.compile(rb"Length=(\d+)")
_PROTOCOL = re.compile(r'protocol="([^"]+)"')
_BINARY = b"Content-Type: application/octet-stream\r\n"


class Context(Protocol):
    """A finished security context."""

    def wrap_winrm(self, data: bytes) -> tuple[bytes, bytes, int]:
        """Return signature, sealed data and the padding's length."""

    def unwrap_winrm(self, header: bytes, data: bytes) -> bytes:
        """Return the data."""


def protocol_of(content_type: str) -> str:
    """Return the encryption protocol that a content type names, empty for a plain message."""
    if not content_type.startswith("multipart/encrypted"):
        return ""
    match = _PROTOCOL.search(content_type)
    return match[1] if match else ""


def unseal(context: Context, body: bytes) -> bytes:
    """Return the message inside *body*. Raises ValueError when it is not what it says."""
    start = body.index(_BINARY) + len(_BINARY)
    end = max(body.rfind(b"--Encrypted Boundary--"), body.rfind(b"-- Encrypted Boundary--"))
    sealed = body[start : end if end > start else None]
    size = struct.unpack_from("<i", sealed)[0]
    message = context.unwrap_winrm(sealed[4 : 4 + size], sealed[4 + size :])
    length = _LENGTH.search(body[:start])
    if length is None or int(length[1]) != len(message):
        raise ValueError("the sealed message is not as long as it says")
    return message


def seal(
    context: Context, message: bytes, protocol: str, *, spaced: bool = True
) -> tuple[str, bytes]:
    """Return content type and body of a sealed answer.

    *spaced*: the boundary lines have a space after their dashes, as the web server in front of
    Exchange writes them [seen]; Windows' own service writes none [seen].
    """
    boundary = b"-- Encrypted Boundary" if spaced else b"--Encrypted Boundary"
    header, data, padding = context.wrap_winrm(message)
    body = b"".join(
        (
            boundary + b"\r\n",
            f"\tContent-Type: {protocol}\r\n".encode(),
            b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;"
            + f"Length={len(message) + padding}\r\n".encode(),
            boundary + b"\r\n\t",
            _BINARY,
            struct.pack("<i", len(header)),
            header,
            data,
            boundary + b"--\r\n",
        )
    )
    return f'multipart/encrypted;protocol="{protocol}";boundary="Encrypted Boundary"', body
