"""winmail.dat (MS-OXTNEF): the files and the text in it.

Own code: tnefparse 1.4.0, the only reader on PyPI, loops four billion times when a property count says
so (a mail of 60 bytes is enough), copies the rest of the data once per attribute, and raises
struct.error on junk. Here every step consumes bytes, and the steps are counted.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from mailticket.mail.charset import codecs_for, decode

SIGNATURE: Final = b"\x78\x9f\x3e\x22"
_MAX_STEPS: Final = 20_000
_ATTACHMENT_START, _ATTACHMENT_TITLE, _ATTACHMENT_DATA, _ATTACHMENT_PROPS = 0x9002, 0x8010, 0x800F, 0x9005
_BODY, _MESSAGE_PROPS, _CODEPAGE = 0x800C, 0x9003, 0x9007
_PR_BODY, _PR_HTML, _PR_CPID = 0x1000, 0x1013, 0x3FDE
_PR_NAME, _PR_LONG_NAME, _PR_SHORT_NAME = 0x3001, 0x3707, 0x3704
_PR_DATA, _PR_CID, _PR_MIME = 0x3701, 0x3712, 0x370E
_FIXED: Final = {
    **dict.fromkeys((0x02, 0x03, 0x04, 0x0A, 0x0B), 4),
    **dict.fromkeys((0x05, 0x06, 0x07, 0x14, 0x40), 8),
    0x48: 16,
}
_MULTI_FIXED: Final = {**_FIXED, 0x02: 2, 0x0B: 2}
_VARIABLE: Final = frozenset({0x0D, 0x1E, 0x1F, 0x102})
_UNICODE: Final = 0x1F


class _Broken(Exception):
    """The data is not TNEF or ends too soon."""


@dataclass(slots=True)
class TnefFile:
    """One file in a winmail.dat; `content_type` and `content_id` are "" where it names none."""

    name: str
    data: bytes
    content_type: str = ""
    content_id: str = ""


@dataclass(slots=True)
class Unpacked:
    """What a winmail.dat holds; texts are decoded but not yet cleaned."""

    files: list[TnefFile] = field(default_factory=list)
    text: str | None = None
    html: str | None = None


def unpack(data: bytes) -> Unpacked | None:
    """The content of a TNEF stream; None when it is broken or holds nothing that can be shown."""
    if data[:4] != SIGNATURE:
        return None
    reader = _Reader(data)
    try:
        reader.read()
    except (_Broken, struct.error):
        return None
    found = reader.found
    found.files = [file for file in found.files if file.data]
    return found if found.files or found.text or found.html else None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.steps = 0
        self.codepage: str | None = None
        self.found = Unpacked()

    def read(self) -> None:
        """Walk the attributes: level, id and type, length, data, checksum."""
        position = 6
        while position + 11 <= len(self.data):
            self._step()
            _, identifier, length = struct.unpack_from("<BII", self.data, position)
            start, end = position + 9, position + 9 + length
            if end > len(self.data):
                raise _Broken
            self._attribute(identifier & 0xFFFF, start, end)
            position = end + 2

    def _step(self) -> None:
        self.steps += 1
        if self.steps > _MAX_STEPS:
            raise _Broken

    def _attribute(self, identifier: int, start: int, end: int) -> None:
        if identifier == _ATTACHMENT_START:
            self.found.files.append(TnefFile("", b""))
        elif identifier == _CODEPAGE and end - start >= 4:
            self.codepage = f"cp{struct.unpack_from('<I', self.data, start)[0]}"
        elif identifier == _BODY:
            self.found.text = self.found.text or self._text(self.data[start:end])
        elif identifier == _MESSAGE_PROPS:
            self._message_properties(start, end)
        elif self.found.files:
            file = self.found.files[-1]
            if identifier == _ATTACHMENT_TITLE:
                file.name = file.name or self._text(self.data[start:end])
            elif identifier == _ATTACHMENT_DATA:
                file.data = self.data[start:end]
            elif identifier == _ATTACHMENT_PROPS:
                self._file_properties(file, start, end)

    def _message_properties(self, start: int, end: int) -> None:
        properties = self._properties(start, end)
        codepage = properties.get(_PR_CPID)
        label = f"cp{struct.unpack('<I', codepage[1][:4])[0]}" if codepage and len(codepage[1]) >= 4 else None
        if _PR_BODY in properties:
            self.found.text = self._string(properties[_PR_BODY]) or self.found.text
        if _PR_HTML in properties:
            kind, value = properties[_PR_HTML]
            known = label if label and codecs_for(label) else self.codepage
            self.found.html = self._string((kind, value)) if kind == _UNICODE else decode(value, known)[0]

    def _file_properties(self, file: TnefFile, start: int, end: int) -> None:
        properties = self._properties(start, end)
        for identifier in (_PR_LONG_NAME, _PR_SHORT_NAME, _PR_NAME):
            if identifier in properties and self._string(properties[identifier]):
                if identifier == _PR_LONG_NAME or not file.name:
                    file.name = self._string(properties[identifier])
                break
        if _PR_DATA in properties and not file.data:
            kind, value = properties[_PR_DATA]
            file.data = value[16:] if kind == 0x0D else value  # an object begins with its interface id
        if _PR_CID in properties:
            file.content_id = self._string(properties[_PR_CID]).strip("<> ")
        if _PR_MIME in properties:
            file.content_type = self._string(properties[_PR_MIME]).strip().lower()

    def _properties(self, start: int, end: int) -> dict[int, tuple[int, bytes]]:
        """Property id -> (type, first value); MS-OXTNEF section 2.1.3.4."""
        found: dict[int, tuple[int, bytes]] = {}
        count, position = self._u32(start, end), start + 4
        for _ in range(count):
            self._step()
            kind, identifier = self._u32(position, end) & 0xFFFF, self._u32(position, end) >> 16
            position += 4
            if identifier >= 0x8000:
                position = self._after_name(position, end)
            value, position = self._value(kind, position, end)
            found.setdefault(identifier, (kind & 0x0FFF, value))
        return found

    def _after_name(self, position: int, end: int) -> int:
        kind = self._u32(position + 16, end)
        if kind == 0:
            return position + 24
        return position + 24 + _padded(self._u32(position + 20, end))

    def _value(self, kind: int, position: int, end: int) -> tuple[bytes, int]:
        multiple, kind = bool(kind & 0x1000), kind & 0x0FFF
        if kind in _VARIABLE:
            count, first = self._u32(position, end), b""
            position += 4
            for index in range(count):
                self._step()
                length = self._u32(position, end)
                if position + 4 + length > end:
                    raise _Broken
                if index == 0:
                    first = self.data[position + 4 : position + 4 + length]
                position += 4 + _padded(length)
            return first, position
        size = (_MULTI_FIXED if multiple else _FIXED).get(kind)
        if size is None:
            raise _Broken
        count = self._u32(position, end) if multiple else 1
        position += 4 if multiple else 0
        if position + count * size > end:
            raise _Broken
        return self.data[position : position + size], position + _padded(count * size)

    def _u32(self, position: int, end: int) -> int:
        if position + 4 > end:
            raise _Broken
        return int(struct.unpack_from("<I", self.data, position)[0])

    def _string(self, value: tuple[int, bytes]) -> str:
        kind, raw = value
        return raw.decode("utf-16-le", "replace").rstrip("\0") if kind == _UNICODE else self._text(raw)

    def _text(self, raw: bytes) -> str:
        known = self.codepage if self.codepage and codecs_for(self.codepage) else None
        return decode(raw.rstrip(b"\0"), known)[0]


def _padded(length: int) -> int:
    return (length + 3) & ~3
