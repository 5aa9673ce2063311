"""Write header fields: RFC 2047 encoding, RFC 2231 parameters, folding, strict addresses.

Everything returned is printable ASCII with lines of at most 78 characters where the value has a
place to fold, and never over 998 (RFC 5322 section 2.1.1). No value can start a line of its own:
controls and line separators of any kind become one space before anything is written.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence

from mailticket.mail.types import Address

_FOLD = 76
_LONGEST_WORD = 60
"""A longer word of plain ASCII is written as encoded words, which can be folded."""
_REFERENCES_LIMIT = 900
_LONGEST_ID = 500

_CONTROLS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_NEVER = re.compile(r"[\u202a-\u202e\u2066-\u2069]+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_PLAIN_PHRASE = re.compile(rf"{_ATEXT}+(?: {_ATEXT}+)*", re.ASCII)
_DOT_ATOM = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*", re.ASCII)
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?", re.ASCII)
_MESSAGE_ID = re.compile(rf"[!-;=?-~]{{1,{_LONGEST_ID}}}", re.ASCII)
_FIELD_NAME = re.compile(r"[!-9;-~]{1,60}", re.ASCII)
_CHUNK = re.compile(r"(?:%[0-9A-F]{2}|[^%]){1,50}", re.ASCII)

_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q = ["_" if byte == 0x20 else chr(byte) if byte in _Q_SAFE else f"={byte:02X}" for byte in range(256)]
_ATTRIBUTE_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~")
_PERCENT = [chr(byte) if byte in _ATTRIBUTE_SAFE else f"%{byte:02X}" for byte in range(256)]


def one_line(value: str) -> str:
    """What a header keeps of `value`: controls, line breaks and runs of blanks as one blank, trimmed.

    Bidirectional embeddings and overrides are dropped, lone surrogates become U+FFFD.
    """
    if value.isascii() and value.isprintable() and "  " not in value:
        return value.strip()
    value = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", _NEVER.sub("", value))
    return _CONTROLS.sub(" ", value).strip()


def checked_address(address: str) -> str:
    """`address` as it may stand in a header or an envelope; ValueError when it is not plain enough.

    Plain: a local part of 1 to 64 ASCII characters of atext and dots, one @, and a domain of LDH
    labels, 253 characters at most. A local part with its dots in places that RFC 5322 forbids
    (some hosts issue them) comes back quoted. No comments, no quoted pairs, no domain literals.
    """
    local, at, domain = address.rpartition("@")
    if not at or len(domain) > 253 or not _LOCAL_PART.fullmatch(local):
        raise ValueError(f"not an address that can be written to: {address[:120]!r}")
    if not all(_LABEL.fullmatch(label) for label in domain.split(".")):
        raise ValueError(f"not an address that can be written to: {address[:120]!r}")
    return address if _DOT_ATOM.fullmatch(local) else f'"{local}"@{domain}'


def mailable(address: str) -> bool:
    """Can `address` be written to: does `checked_address` let it pass?"""
    try:
        checked_address(address)
    except ValueError:
        return False
    return True


def checked_message_id(message_id: str) -> str:
    """`<message_id>`; ValueError unless it is 1 to 500 printable ASCII characters, no < or >."""
    if not is_message_id(message_id):
        raise ValueError(f"not a Message-ID that can be written: {message_id[:120]!r}")
    return f"<{message_id}>"


def is_message_id(message_id: str) -> bool:
    """May this stand between angle brackets, and be read back unchanged?"""
    return bool(_MESSAGE_ID.fullmatch(message_id)) and "=?" not in message_id


def unstructured(name: str, value: str) -> str:
    """A field of free text; ValueError when `name` is not a field name."""
    if not _FIELD_NAME.fullmatch(name):
        raise ValueError(f"not a header name: {name[:60]!r}")
    value = one_line(value)
    words = value.split(" ")
    if not _stands_plain(value, words):
        words = _encoded_words(value, _FOLD - len(name) - 2)
    return _folded(name, words)


def addresses(name: str, mailboxes: Sequence[Address]) -> str:
    """A field with one or more mailboxes; ValueError when there is none or one is not plain."""
    if not mailboxes:
        raise ValueError(f"{name} without an address")
    words: list[str] = []
    for mailbox in mailboxes:
        if words:
            words[-1] += ","
        words += _mailbox(mailbox, _FOLD - len(name) - 2)
    return _folded(name, words)


def message_ids(name: str, ids: Iterable[str]) -> str | None:
    """A field of Message-IDs, never encoded; ids that are not well-formed are left out, None if all are.

    Bounded: when they exceed 900 characters, the first (the root of the thread) and as many of the
    last as fit are kept.
    """
    good = [f"<{one}>" for one in dict.fromkeys(ids) if is_message_id(one)]
    if not good:
        return None
    kept: list[str] = []
    room = _REFERENCES_LIMIT - len(good[0])
    for one in reversed(good[1:]):
        room -= len(one) + 1
        if room < 0:
            break
        kept.append(one)
    return _folded(name, [good[0], *reversed(kept)])


def filename_parameters(filename: str) -> list[str]:
    """`filename` as parameters of Content-Disposition, RFC 2231 where it is not plain ASCII."""
    filename = (
        one_line(filename).replace("/", "_").replace("\\", "_").replace('"', "_")[-150:].strip()
        or "attachment"
    )
    if filename.isascii() and len(filename) <= _LONGEST_WORD and "=?" not in filename:
        return [f'filename="{filename}"']
    spelled = "".join(map(_PERCENT.__getitem__, filename.encode("utf-8")))
    chunks = _CHUNK.findall(spelled)
    if len(chunks) == 1:
        return [f"filename*=utf-8''{spelled}"]
    first = "utf-8''"
    return [f"filename*{n}*={first if n == 0 else ''}{chunk}" for n, chunk in enumerate(chunks)]


def _mailbox(mailbox: Address, first_room: int) -> list[str]:
    address = checked_address(mailbox.address)
    words = one_line(mailbox.name).split()
    if not words:
        return [address]
    name = " ".join(words)
    if not _stands_plain(name, words):
        words = _encoded_words(name, first_room)
    elif not _PLAIN_PHRASE.fullmatch(name):
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        words = f'"{quoted}"'.split(" ")
    return [*words, f"<{address}>"]


def _stands_plain(value: str, words: list[str]) -> bool:
    """Can `value` be written as it is, and be read back as such?"""
    return value.isascii() and "=?" not in value and all(len(word) <= _LONGEST_WORD for word in words)


def _encoded_words(value: str, first_room: int) -> list[str]:
    """`value` as encoded words of at most 75 characters, the first of at most `first_room`.

    Every word holds whole characters (RFC 2047 section 5). Q where it is shorter, else B.
    """
    raw = value.encode("utf-8")
    plain = sum(map(_Q_SAFE.__contains__, raw)) + raw.count(b" ")
    use_q = plain + 3 * (len(raw) - plain) <= (len(raw) + 2) // 3 * 4
    words: list[str] = []
    room = max(min(first_room, 75), 30) - 12
    start = 0
    while start < len(raw):
        end = _q_end(raw, start, room) if use_q else _whole(raw, start, start + room // 4 * 3)
        piece = raw[start:end]
        payload = "".join(map(_Q.__getitem__, piece)) if use_q else base64.b64encode(piece).decode("ascii")
        words.append(f"=?utf-8?{'q' if use_q else 'b'}?{payload}?=")
        start, room = end, 63
    return words


def _q_end(raw: bytes, start: int, room: int) -> int:
    end = start
    while end < len(raw) and room >= len(_Q[raw[end]]):
        room -= len(_Q[raw[end]])
        end += 1
    return _whole(raw, start, end)


def _whole(raw: bytes, start: int, end: int) -> int:
    """The last end of a whole UTF-8 character at or before `end`."""
    if end >= len(raw):
        return len(raw)
    while end > start + 1 and raw[end] & 0xC0 == 0x80:
        end -= 1
    return end


def _folded(name: str, words: Sequence[str]) -> str:
    """`name: words`, folded at the blanks between words; the first word always stands beside the name."""
    line = f"{name}: {words[0]}"
    lines: list[str] = []
    for word in words[1:]:
        if len(line) + 1 + len(word) > _FOLD:
            lines.append(line)
            line = f" {word}"
        else:
            line = f"{line} {word}"
    lines.append(line)
    return "\r\n".join(lines)
