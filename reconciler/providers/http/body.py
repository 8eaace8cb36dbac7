"""Reading the body of an answer, and unpacking it, within limits of time and size."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator

import httpx

MAX_ANSWER = 64 * 1024 * 1024
"""Maximum size of one unpacked answer in bytes; no documented answer comes near it."""

ENCODINGS = "gzip"
"""The accepted compressions: only gzip can be stopped at a size while unpacking."""

_GZIP = 16 + zlib.MAX_WBITS


class AnswerTooLarge(Exception):
    """An answer is larger than MAX_ANSWER."""

    def __init__(self, status: int) -> None:
        super().__init__(f"a response of more than {MAX_ANSWER // 1024 // 1024} MB")
        self.status = status


def read_body(response: httpx.Response, deadline: float) -> bytes:
    """Read an answer to its end; AnswerTooLarge if it is larger than MAX_ANSWER."""
    chunks: list[bytes] = []
    size = 0
    for chunk in _unpacked(response):
        size += len(chunk)
        if size > MAX_ANSWER:
            raise AnswerTooLarge(response.status_code)
        chunks.append(chunk)
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the response did not end in time")
    return b"".join(chunks)


def _unpacked(response: httpx.Response) -> Iterator[bytes]:
    if not isinstance(response.stream, httpx.SyncByteStream):  # pragma: no cover - a sync client's always is
        raise TypeError(type(response.stream).__name__)
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        yield from response.stream
        return
    if encoding not in {"gzip", "x-gzip"}:  # also two of them, one over the other
        raise httpx.DecodingError("an unrequested compression")
    yield from _gunzipped(response.stream)


def _gunzipped(packed: httpx.SyncByteStream) -> Iterator[bytes]:
    """Unpack piece by piece: a few bytes may expand to more than fits into memory."""
    unpack = zlib.decompressobj(_GZIP)
    seen = 0
    for chunk in packed:
        seen += len(chunk)
        if seen > MAX_ANSWER:
            raise httpx.DecodingError("more compressed bytes than the limit")
        rest = chunk
        while rest and not unpack.eof:
            try:
                piece = unpack.decompress(rest, MAX_ANSWER + 1)
            except zlib.error as error:
                raise httpx.DecodingError(str(error)) from None
            yield piece
            rest = unpack.unconsumed_tail
    if seen and not unpack.eof:
        raise httpx.DecodingError("it ends too early")
