"""Which parts are the body, and its text: stage 3's choice between plain text and HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from mailticket.mail import attachment
from mailticket.mail.charset import clean_text, decode
from mailticket.mail.flowed import undouble, unflow
from mailticket.mail.html import html_to_text, sanitize, strip_tags, text_to_html, tidy, too_deep
from mailticket.mail.inline_image import take_images
from mailticket.mail.limits import Limits
from mailticket.mail.structure import Part, part_filename
from mailticket.mail.tnef import SIGNATURE, TnefFile, unpack
from mailticket.mail.transfer import decoded_body, find_uuencoded
from mailticket.mail.types import Attachment, Defect

_BODY_TYPES: Final = frozenset(
    {"text/plain", "text/html", "text/enriched", "text/richtext", "application/xhtml+xml"}
)
_ALTERNATIVES_IGNORED: Final = frozenset({"text/x-amp-html", "text/watch-html"})
_TNEF_TYPES: Final = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_META_CHARSET: Final = re.compile(rb"(?i)charset\s{0,4}=\s{0,4}[\"']?([a-z0-9_:-]{2,40})")
_CID: Final = re.compile(r"(?i)\bcid:([^\s\"'<>)]{1,300})")
_STUB_WORDS: Final = re.compile(
    r"(?i)view|client|support|reader|capable|compatible|display|format|enabled|anzeige|affich|visuali|mostra|"
    r"browser|version|correo|nachricht|message|почт"
)
_MARKUP: Final = re.compile(r"(?i)</?(?:html|body|p|div|br|table|span|td)\b[^<>]{0,500}>")


@dataclass(slots=True)
class Piece:
    """A stretch of the body: in plain text, in HTML, or in both (multipart/alternative)."""

    plain: str | None = None
    html: str | None = None
    html_text: str | None = None


@dataclass(slots=True)
class Body:
    """What was made of the whole tree."""

    text: str
    source: Literal["plain", "html", "none"]
    html: str | None
    html_source: str | None
    attachments: tuple[Attachment, ...]
    defects: list[Defect]


@dataclass(slots=True)
class _Gatherer:
    limits: Limits
    defects: list[Defect] = field(default_factory=list)
    files: list[tuple[Part, bytes]] = field(default_factory=list)
    made: list[Attachment] = field(default_factory=list)
    tnef_bodies: list[Piece] = field(default_factory=list)
    text_room: int = 0

    def gather(self, part: Part) -> list[Piece]:
        """The body pieces below `part`; the other leaves go to `files`. The splitter caps the depth."""
        if not part.children:
            return self._leaf(part)
        if part.content_type == "multipart/alternative":
            return self._alternative(part)
        pieces: list[Piece] = []
        for child in part.children:
            pieces.extend(self.gather(child))
        return pieces

    def _alternative(self, part: Part) -> list[Piece]:
        """One piece of all versions; of several HTML ones the last, which RFC 2046 says is the best.

        Apple Mail puts text/plain beside a multipart of HTML, files and more HTML: that is one version.
        """
        merged = Piece()
        rest: list[Piece] = []
        for child in part.children:
            found = [] if child.content_type in _ALTERNATIVES_IGNORED else self.gather(child)
            if any(piece.plain is None for piece in found):
                _merge_html(merged, found)
                continue
            plain = "\n\n".join(piece.plain or "" for piece in found)
            if any(piece.html is not None for piece in found):
                _merge_html(merged, found)
            if not (merged.plain or "").strip():
                merged.plain = plain if found else merged.plain
            elif found and merged.plain is not None and merged.plain.split() != plain.split():
                rest.append(Piece(plain=plain))
        empty = merged.plain is None and merged.html is None and merged.html_text is None
        return rest if empty else [merged, *rest]

    def _leaf(self, part: Part) -> list[Piece]:
        data, problem = decoded_body(part)
        if problem:
            self._defect("transfer-encoding", problem)
        if part.content_type in _TNEF_TYPES or data[:4] == SIGNATURE:
            return self._tnef(part, data)
        if not self._is_body(part):
            if data or part.disposition.value or part.declared_type:
                self.files.append((part, data))
            return []
        return self._text(part, data)

    def _text(self, part: Part, data: bytes) -> list[Piece]:
        if part.content_type in ("text/html", "application/xhtml+xml"):
            return self._html(part, data)
        return self._plain(part, data)

    def _tnef(self, part: Part, data: bytes) -> list[Piece]:
        unpacked = unpack(data)
        if unpacked is None:
            self._defect("tnef", "winmail.dat could not be unpacked")
            self.files.append((part, data))
            return []
        self.made += [self._tnef_file(file) for file in unpacked.files[: self.limits.attachments + 1]]
        self.tnef_bodies.append(
            Piece(
                plain=clean_text(unpacked.text, limit=self.limits.text) if unpacked.text else None,
                html=clean_text(unpacked.html, limit=self.limits.html) if unpacked.html else None,
            )
        )
        return []

    def _tnef_file(self, file: TnefFile) -> Attachment:
        name = attachment.clean_filename(file.name, self.limits.filename) or "noname.bin"
        content_type = file.content_type if attachment.is_content_type(file.content_type) else ""
        cid = clean_text(file.content_id, limit=998, one_line=True)
        return attachment.make(
            name, content_type or attachment.type_for_name(name), file.data, "tnef", inline=bool(cid), cid=cid
        )

    def named_body(self) -> list[Piece]:
        """The first text part that has a name but is not declared an attachment, where there is no other."""
        for index, (part, data) in enumerate(self.files):
            if part.content_type in _BODY_TYPES and part.disposition.value != "attachment":
                del self.files[index]
                return self._text(part, data)
        return []

    def _is_body(self, part: Part) -> bool:
        if part.content_type not in _BODY_TYPES or part.disposition.value == "attachment":
            return False
        named = bool(part_filename(part, self.limits.filename))
        in_alternative = part.parent is not None and part.parent.content_type == "multipart/alternative"
        return not named or in_alternative or part.parent is None

    def _plain(self, part: Part, data: bytes) -> list[Piece]:
        label = part.params.get("charset")
        if b"begin " in data:
            data = self._take_uuencoded(data)
        if len(data) > self.text_room:
            data = self._cut(part, data)
        self.text_room -= len(data)
        text, problem = decode(data, label)
        if problem:
            self._defect("charset", problem)
        text = clean_text(text.replace("\r\r\n", "\n")).removeprefix("\ufeff")
        if part.content_type in ("text/enriched", "text/richtext"):
            return [Piece(plain=strip_tags(text))]
        if part.params.get("format", "").lower() == "flowed":
            text = unflow(text, delsp=part.params.get("delsp", "").lower() == "yes")
        return [Piece(plain=undouble(text))]

    def _html(self, part: Part, data: bytes) -> list[Piece]:
        data, images = take_images(data, self.limits.attachments)
        self.made += images
        label = part.params.get("charset")
        if not label or label.lower() == "us-ascii":
            meta = _META_CHARSET.search(data, 0, 2048)
            label = meta.group(1).decode("ascii") if meta else label
        text, problem = decode(data[: self.limits.html], label)
        if problem:
            self._defect("charset", problem)
        source = clean_text(text).removeprefix("\ufeff")
        if len(data) > self.limits.html or source.count("<") > self.limits.html_tags:
            return self._html_not_shown(part, data, tidy(strip_tags(source[: self.limits.html // 4])))
        if too_deep(source, self.limits):
            return self._html_not_shown(part, data, html_to_text(source, self.limits) or "")
        return [Piece(html=source)]

    def _html_not_shown(self, part: Part, data: bytes, text: str) -> list[Piece]:
        self._defect("html-not-shown", "the HTML is too big to be shown; it is attached")
        self.files.append((part, data))
        return [Piece(html_text=text)]

    def _take_uuencoded(self, data: bytes) -> bytes:
        kept: list[bytes] = []
        position = 0
        for start, end, content, name in find_uuencoded(data):
            kept.append(data[position:start])
            position = end
            cleaned = attachment.clean_filename(name, self.limits.filename) or "noname.bin"
            self.made.append(attachment.make(cleaned, "application/octet-stream", content, "file"))
        return b"".join([*kept, data[position:]]) if kept else data

    def _cut(self, part: Part, data: bytes) -> bytes:
        cut = max(self.text_room, 0)
        newline = data.rfind(b"\n", max(cut - 10_000, 0), cut)
        cut = newline + 1 if newline >= 0 else cut
        self._defect("text-cut", f"the text goes on for {len(data) - cut} bytes in an attachment")
        self.made.append(attachment.make("rest-of-message.txt", part.content_type, data[cut:], "rest"))
        return data[:cut]

    def _defect(self, code: str, detail: str) -> None:
        if len(self.defects) < self.limits.defects:
            self.defects.append(Defect(code, clean_text(detail, limit=200, one_line=True)))


def _merge_html(merged: Piece, found: list[Piece]) -> None:
    """Make the pieces of one alternative the HTML of `merged`."""
    if any(piece.html is not None for piece in found):
        merged.html = "\n".join(
            piece.html or text_to_html(piece.plain or piece.html_text or "") for piece in found
        )
    else:
        merged.html_text = "\n\n".join(piece.html_text or piece.plain or "" for piece in found)


def _has_words(piece: Piece) -> bool:
    return bool((piece.plain or "").strip() or piece.html or piece.html_text)


def _is_stub(plain: str, html_text: str) -> bool:
    """True for a plain part that only says that the mail is HTML, or is far too little of it."""
    words = plain.strip()
    if not words:
        return True
    if len(words) > 500 or not html_text.strip():
        return False
    if (
        len(words) < 300
        and "html" in words.lower()
        and _STUB_WORDS.search(words)
        and words.split()[0] not in html_text
    ):
        return True
    return len(words) < 60 and len(html_text) > 20 * len(words) and words.lower() not in html_text.lower()


def _piece_text(piece: Piece, limits: Limits) -> tuple[str, bool]:
    """The text of a piece, and whether it came from HTML."""
    plain = piece.plain
    if plain is not None and len(_MARKUP.findall(plain[:5_000])) > 5 and piece.html is not None:
        plain = None  # some mailers put the HTML into both parts
    if piece.html is None:
        return (plain, False) if plain is not None else (piece.html_text or "", True)
    if plain is not None and len(plain) > 500 and not plain.isspace():
        return plain, False
    from_html = html_to_text(piece.html, limits) or ""
    if plain is None or (_is_stub(plain, from_html) and from_html.strip()):
        return from_html, True
    return plain, False


def read_body(root: Part, limits: Limits) -> Body:
    """Choose the body of a mail and turn the other parts into attachments. Never raises."""
    gatherer = _Gatherer(limits, text_room=limits.text)
    pieces = gatherer.gather(root)
    if not any(_has_words(piece) for piece in pieces):
        pieces += gatherer.tnef_bodies or gatherer.named_body()
    texts: list[str] = []
    htmls: list[str] = []
    from_html = False
    for piece in pieces:
        text, is_html = _piece_text(piece, limits)
        if text.strip():
            texts.append(text.strip("\n") if len(pieces) > 1 else text)
            from_html = from_html or is_html
        if piece.html is not None:
            htmls.append(piece.html)
        elif piece.plain is not None and piece.plain.strip():
            htmls.append(text_to_html(piece.plain))
    joined = "\n\n".join(texts)
    has_html = any(piece.html is not None for piece in pieces)
    html_source = "\n".join(htmls) if has_html else None
    shown = (
        frozenset(_CID.findall(html_source)) if html_source and "cid:" in html_source.lower() else frozenset()
    )
    source: Literal["plain", "html", "none"] = "none"
    if texts:
        source = "html" if from_html else "plain"
    return Body(
        clean_text(joined, limit=limits.text),
        source,
        sanitize(html_source, limits) if html_source is not None else None,
        html_source,
        _attachments(gatherer, shown),
        gatherer.defects,
    )


def _attachments(gatherer: _Gatherer, shown: frozenset[str]) -> tuple[Attachment, ...]:
    limits = gatherer.limits
    made: list[Attachment] = []
    for part, data in gatherer.files:
        if len(made) >= limits.attachments:
            break
        made.append(attachment.from_part(part, data, limits, shown_ids=shown))
    everything = [*made, *gatherer.made]
    total = len(gatherer.files) + len(gatherer.made)
    if total > limits.attachments:
        gatherer.defects.append(Defect("too-many-attachments", f"{total}, shown are {limits.attachments}"))
    return tuple(everything[: limits.attachments])
