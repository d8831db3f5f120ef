"""The head of an HTTP/1 message, and where its body ends. Pure, and strict where leniency lets requests be smuggled.

RFC 9112 (HTTP/1.1) and RFC 9110 (semantics): section numbers stand at the rules. A message that two parties
could frame differently - both Content-Length and Transfer-Encoding, two lengths, a folded or malformed line, a
bare line feed - is refused, not repaired.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_HEAD = 64 * 1024
"""Bytes of a head, at most; a client that sends more gets 431."""

CHUNKED = -1
"""In place of a length: the body is chunked."""
UNTIL_CLOSE = -2
"""In place of a length: the body ends with the connection (responses only)."""

_TCHAR = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_REQUEST = re.compile(rb"(" + _TCHAR + rb"+) ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])\r\n")
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*)?\r\n")
_FIELDS = re.compile(rb"(?:" + _TCHAR + rb"+:[\t\x20-\x7e\x80-\xff]*\r\n)*")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")

_IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"})
"""RFC 9110, 9.2.2: what a proxy may send again without being asked."""

_PROTECTED = frozenset(
    {
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"content-type",
        b"authorization",
        b"cookie",
        b"set-cookie",
    }
)
"""Fields that `Connection` cannot have removed: naming them there is an attack, not a hop's business."""


class BadMessage(Exception):
    """A message that cannot be understood without guessing."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(slots=True)
class Request:
    """A request's head, ready to be passed on."""

    method: bytes
    target: bytes
    old: bool
    """HTTP/1.0."""
    fields: list[bytes]
    """The lines to pass on, without those that concern this connection only."""
    length: int
    """Bytes of the body, or CHUNKED."""
    keep_alive: bool
    websocket: bool
    host: bytes | None
    named: dict[bytes, bytes]
    """Values of fields the router looks at: cookie, x-forwarded-*, and the header of stickiness."""

    @property
    def idempotent(self) -> bool:
        """Whether it may be sent twice."""
        return self.method in _IDEMPOTENT


@dataclass(slots=True)
class Response:
    """A response's head, ready to be passed on."""

    status: int
    line: bytes
    """The status line, in HTTP/1.1."""
    fields: list[bytes]
    length: int
    """Bytes of the body, CHUNKED or UNTIL_CLOSE."""
    keep_alive: bool
    idle_limit: float | None
    """Seconds the server says it keeps an idle connection (`Keep-Alive: timeout=`)."""


@dataclass(slots=True)
class _Framing:
    """What the fields of one message say about its framing and its connection."""

    length: int | None = None
    chunked: bool = False
    close: bool = False
    keep: bool = False
    upgrade: bool = False
    websocket: bool = False
    dropped: frozenset[bytes] = frozenset()
    host: bytes | None = None
    idle_limit: float | None = None


def parse_request(head: bytes, looked_at: frozenset[bytes] = frozenset()) -> Request:
    """Parse a head, including the CR LF of its last line but not the empty line.

    Args:
        head: The bytes.
        looked_at: Lower-case names of fields whose values are wanted in `named`.

    Raises:
        BadMessage: With the status to answer.
    """
    start = _REQUEST.match(head)
    if start is None:
        raise BadMessage(*_bad_start(head))
    end = start.end()
    if _FIELDS.fullmatch(head, end) is None:
        raise BadMessage(400, "a header line is malformed")
    method, target, minor = start.groups()
    if method == b"CONNECT":
        raise BadMessage(501, "this is no forward proxy")
    named: dict[bytes, bytes] = {}
    framing = _Framing()
    fields = _sort(head[end:-2], framing, looked_at, named) if end < len(head) else []
    old = minor == b"0"
    if not target.startswith(b"/") and (method, target) != (b"OPTIONS", b"*"):
        framing.host, target = _origin_form(target)
        fields = [line for line in fields if line[:5].lower() != b"host:"]
        fields.append(b"Host: " + framing.host)
    if framing.host is None and not old:
        raise BadMessage(400, "the Host header is missing")  # RFC 9112, 3.2
    if framing.chunked and (old or framing.length is not None):
        raise BadMessage(400, "Transfer-Encoding beside Content-Length, or in HTTP/1.0")  # RFC 9112, 6.1
    return Request(
        method=method,
        target=target,
        old=old,
        fields=fields,
        length=CHUNKED if framing.chunked else framing.length or 0,
        keep_alive=(framing.keep if old else True) and not framing.close,
        websocket=framing.upgrade and framing.websocket and not old and method == b"GET",
        host=framing.host,
        named=named,
    )


def parse_response(head: bytes, *, to_head: bool) -> Response:
    """Parse a response's head, including the CR LF of its last line but not the empty line.

    Args:
        head: The bytes.
        to_head: It answers a HEAD request, so it has no body whatever it says.

    Raises:
        BadMessage: It cannot be framed; the status is 502.
    """
    start = _STATUS.match(head)
    if start is None or _FIELDS.fullmatch(head, start.end()) is None:
        raise BadMessage(502, "the slot's answer is not HTTP/1")
    status = int(start.group(2))
    old = start.group(1) == b"0"
    framing = _Framing()
    end = start.end()
    try:
        fields = _sort(head[end:-2], framing, frozenset(), {}) if end < len(head) else []
    except BadMessage as error:
        raise BadMessage(502, f"the slot's answer cannot be framed: {error.reason}") from error
    if to_head or status < 200 or status in {204, 304}:  # RFC 9112, 6.3
        length = 0
    elif framing.chunked:
        if framing.length is not None:
            fields = [field for field in fields if not field.lower().startswith(b"content-length:")]
        length = CHUNKED
    else:
        length = UNTIL_CLOSE if framing.length is None else framing.length
    return Response(
        status=status,
        line=b"HTTP/1.1" + head[8:end],
        fields=fields,
        length=length,
        keep_alive=(framing.keep if old else True) and not framing.close and length != UNTIL_CLOSE,
        idle_limit=framing.idle_limit,
    )


def _origin_form(target: bytes) -> tuple[bytes, bytes]:
    """Host and path of an absolute target: it outranks the Host header (RFC 9112, 3.2.2)."""
    found = re.fullmatch(rb"(?i:http)://([^/?#@]+)([/?].*)?", target)
    if found is None:
        raise BadMessage(400, "the request's target is neither a path nor an http URL")
    path = found.group(2) or b"/"
    return found.group(1), path if path.startswith(b"/") else b"/" + path


def _bad_start(head: bytes) -> tuple[int, str]:
    line = head.partition(b"\r\n")[0]
    if re.search(rb" HTTP/[0-9]\.[0-9]$", line) and not line.endswith((b"HTTP/1.0", b"HTTP/1.1")):
        return 505, "only HTTP/1.0 and HTTP/1.1 are spoken here"
    return 400, "the request line is malformed"


def _sort(block: bytes, framing: _Framing, looked_at: frozenset[bytes], named: dict[bytes, bytes]) -> list[bytes]:
    """Note what the lines say about framing, and return those to pass on."""
    fields: list[bytes] = []
    for line in block.split(b"\r\n"):
        name, _, value = line.partition(b":")
        key = name.lower()
        note = _NOTES.get(key)
        if note is not None and not note(framing, value.strip(b" \t")):
            continue
        if key in looked_at:
            value = value.strip(b" \t")
            separator = b"; " if key == b"cookie" else b", "
            named[key] = named[key] + separator + value if key in named else value
        fields.append(line)
    if framing.dropped:
        fields = [line for line in fields if line.partition(b":")[0].lower() not in framing.dropped]
    return fields


# Each notes a field and says whether the line is passed on.


def _host(framing: _Framing, value: bytes) -> bool:
    if framing.host is not None:
        raise BadMessage(400, "two Host headers")
    framing.host = value
    return True


def _content_length(framing: _Framing, value: bytes) -> bool:
    if framing.length is not None or not value.isdigit() or len(value) > 18:
        raise BadMessage(400, "Content-Length is not one number")
    framing.length = int(value)
    return True


def _transfer_encoding(framing: _Framing, value: bytes) -> bool:
    if framing.chunked or value.lower() != b"chunked":
        raise BadMessage(501, "a transfer encoding other than chunked")
    framing.chunked = True
    return True


def _connection(framing: _Framing, value: bytes) -> bool:
    tokens = {token.strip(b" \t") for token in value.lower().split(b",")}
    framing.close |= b"close" in tokens
    framing.keep |= b"keep-alive" in tokens
    framing.upgrade |= b"upgrade" in tokens
    framing.dropped |= tokens - _PROTECTED - {b"close", b"keep-alive", b"upgrade", b""}
    return False


def _upgrade(framing: _Framing, value: bytes) -> bool:
    framing.websocket |= value.lower() == b"websocket"
    return False


def _keep_alive(framing: _Framing, value: bytes) -> bool:
    found = re.search(rb"timeout=([0-9]{1,6})", value)
    if found:
        framing.idle_limit = float(found.group(1))
    return False


def _drop(_framing: _Framing, _value: bytes) -> bool:
    return False


_NOTES = {
    b"host": _host,
    b"content-length": _content_length,
    b"transfer-encoding": _transfer_encoding,
    b"connection": _connection,
    b"upgrade": _upgrade,
    b"keep-alive": _keep_alive,
    b"proxy-connection": _drop,
    b"proxy-authenticate": _drop,
    b"proxy-authorization": _drop,
    b"te": _drop,
}


class Chunks:
    """Finds the end of a chunked body (RFC 9112, 7.1) that arrives in pieces of any size."""

    __slots__ = ("_left", "_line", "_state", "_trailer")

    _SIZE_LINE, _DATA, _DATA_END, _TRAILER = range(4)
    _MAX_LINE = 4096
    _MAX_TRAILER = 16 * 1024

    def __init__(self) -> None:
        self._state = self._SIZE_LINE
        self._left = 0
        self._line = b""
        self._trailer = 0

    def feed(self, data: bytes, payload: list[bytes] | None = None) -> int:
        """Take the next piece; return how many of its bytes belong to the body if it ends there, else -1.

        Args:
            data: The bytes.
            payload: Gets the content without its framing, if it is given.

        Raises:
            BadMessage: The body is not chunked as it should be.
        """
        position, size = 0, len(data)
        while position < size:
            if self._state == self._DATA:
                taken = min(self._left, size - position)
                if payload is not None:
                    payload.append(data[position : position + taken])
                position += taken
                self._left -= taken
                if not self._left:
                    self._state = self._DATA_END
                continue
            end = data.find(b"\n", position)
            if end < 0:
                self._line += data[position:]
                if len(self._line) > self._MAX_LINE:
                    raise BadMessage(400, "a line of a chunked body is too long")
                return -1
            line = self._line + data[position : end + 1]
            self._line = b""
            position = end + 1
            if self._read_line(line):
                return position
        return -1

    def _read_line(self, line: bytes) -> bool:
        """Take a whole line; True if it is the body's last."""
        if not line.endswith(b"\r\n"):
            raise BadMessage(400, "a line of a chunked body ends without CR LF")
        if self._state == self._DATA_END:
            if line != b"\r\n":
                raise BadMessage(400, "a chunk is longer than it says")
            self._state = self._SIZE_LINE
        elif self._state == self._SIZE_LINE:
            found = _SIZE.fullmatch(line, 0, len(line) - 2)
            if found is None:
                raise BadMessage(400, "a chunk's size is malformed")
            self._left = int(found.group(1), 16)
            self._state = self._DATA if self._left else self._TRAILER
        elif line == b"\r\n":
            return True
        else:
            self._trailer += len(line)
            if self._trailer > self._MAX_TRAILER or _FIELDS.fullmatch(line) is None:
                raise BadMessage(400, "a trailer is malformed or too long")
        return False
