"""New text, quoted text and signature of a mail, as spans that add up to the whole text.

One pass over the lines. A quote begins at our own marker line, at an intro ("On ... wrote:"), at a
rule or a block of copied headers, at `>` lines, or where the HTML's structure says so. What follows
an intro is quoted as far as it is marked (`>` lines, an HTML quote), so that answers below and
between quotes stay new; where nothing marks the end, all that follows is quoted. Nothing is deleted,
and in doubt text counts as new: below THRESHOLD the whole text is the reply.

Work is linear: at most MAX_LINES lines and MAX_CHARS characters (mail/quoting_lines.py) are looked
at, each a bounded number of times; what lies beyond has the kind of the last line looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mailticket.mail import marker
from mailticket.mail.quoting_headers import header_block, is_forward_subject, is_rule, separator
from mailticket.mail.quoting_html import Mark, Region, regions
from mailticket.mail.quoting_intro import find_intro, grade, may_end_intro
from mailticket.mail.quoting_lines import Lines
from mailticket.mail.signature import signature_start
from mailticket.mail.types import Content, Span, SpanKind

THRESHOLD = 0.5
"""Below this confidence the whole text is the reply."""
_PASTED = 0.45
"""Confidence in copied headers that a mail which answers nothing holds."""

_NEAR = 3
"""Lines between where the text and the HTML see a quote begin that still count as agreement."""
_MAX_LEADING_INTRO = 4
_MAX_INTROS = 400
"""Lines that are looked at as the end of an intro; a mail has rarely ten."""
_LONG_LINE = 66
"""A quoted line at least this long may have been wrapped by a host, its rest left without a `>`."""


def split(text: str, html: str | None = None, *, subject: str = "", answers: bool = True) -> Content:
    """Take a mail's text apart.

    text     the whole body (ParsedMail.text), lines ended by LF
    html     the HTML source, where there is one, for its structure; it need not be what `text` came from
    subject  the decoded Subject, which tells a forward from a reply
    answers  whether the mail answers another by its headers; copied headers in a mail that does not
             are rather pasted or a form, and count as text

    Returns spans that add up to exactly `text`, the reply, a confidence from 0 to 1 and the name of
    what decided. Never raises; linear in both inputs.
    """
    tokens = marker.tokens_of(text, html)
    body = Lines(text)
    if not body.count:
        return Content((), "", 1.0, tokens, "empty")
    own = bool(tokens)  # what was forwarded is ours, perhaps internal: never to be taken for new text
    forward = is_forward_subject(subject) and not own
    work = _Splitting(body, regions(html, body.bare) if html else [], forward, answers, own)
    work.run(marker.may_have_marker(body.head) or bool(tokens))
    return _content(text, work, tokens)


@dataclass(slots=True)
class _Splitting:
    """The pass over the lines: `kinds` fills up, `confidence` and `methods` collect what decided."""

    lines: Lines
    found: list[Region]
    forwarded: bool
    answers: bool
    own: bool
    kinds: list[SpanKind] = field(default_factory=list)
    confidence: float = 1.0
    methods: list[str] = field(default_factory=list)
    certain: bool = True
    """False once a quote was assumed to reach to the end with nothing marking its end."""
    is_forward: bool = False
    intros: int = 0

    def run(self, markers: bool) -> None:
        """Fill `kinds`. markers: whether to look for marker lines at all."""
        self.kinds = [SpanKind.NEW] * self.lines.count
        index, floor = 0, 0
        while index < self.lines.count:
            if not self.lines.bare[index] and not self.lines.quoted[index]:
                index += 1
                continue
            end = self._quote_at(index, floor, markers)
            if self.is_forward:
                return
            if end > index:
                floor = end
            index = max(end, index + 1)

    def _quote_at(self, index: int, floor: int, markers: bool) -> int:
        """The line after the quote that line `index` opens, or `index` when it opens none."""
        lines = self.lines
        text = lines.bare[index]
        if lines.quoted[index]:
            intro = self._intro_at(index, floor) if text and len(text) < 60 and may_end_intro(text) else index
            return intro if intro > index else self._prefixed(index, introduced=False)
        if markers and (marker.is_marker_line(text) or (len(text) < 400 and marker.find_tokens(text))):
            return self._open(index, index + 1, floor, 0.99, "marker")
        end = self._announced(index, floor)
        if end == index and may_end_intro(text):
            end = self._intro_at(index, floor)
        if end == index and ":  " in text and "@" in text and grade(text[: text.index(":  ") + 1]) == 2:
            # Yahoo on phones: the quote begins in the line of its intro
            end = self._open(index, index + 1, floor, 0.85, "intro")
        return end if end > index else self._by_structure(index, floor)

    def _announced(self, index: int, floor: int) -> int:
        """A rule that says "original message", or copied headers."""
        lines = self.lines.bare
        rule = separator(lines[index])
        if rule is not None:
            if (rule.forward and not self.own) or self.forwarded:
                self._take_forward()
                return index
            after = self.lines.next_written(index + 1)
            block = None
            if after < self.lines.count and not self.lines.quoted[after]:
                block = header_block(lines, after)
            return self._open(
                index, block.end if block else index + 1, floor, 0.95 if block else 0.85, "original"
            )
        block = header_block(lines, index)
        if block is None:
            return index
        if self.forwarded:
            self._take_forward()
            return index
        sure = (0.92 if block.sure else 0.7) if self.answers else _PASTED
        return self._open(index, block.end, floor, sure, "headers")

    def _take_forward(self) -> None:
        if SpanKind.QUOTED not in self.kinds:
            self.is_forward = True

    def _intro_at(self, index: int, floor: int) -> int:
        """An intro that ends in line `index`; a weak one only with a marked quote below it."""
        self.intros += 1
        intro = find_intro(self.lines.bare, index, floor) if self.intros <= _MAX_INTROS else None
        if intro is None:
            return index
        after = self.lines.next_written(index + 1)
        marked = after < self.lines.count and self.lines.quoted[after]
        if not (intro.strong or marked or self._region_near(after) is not None):
            return index
        return self._open(intro.first, index + 1, floor, 0.97 if intro.strong and marked else 0.85, "intro")

    def _by_structure(self, index: int, floor: int) -> int:
        """A region of the HTML that begins in line `index`."""
        while self.found and self.found[0].first < index:
            self.found.pop(0)
        if not self.found or self.found[0].first != index:
            return index
        region = self.found.pop(0)
        if region.mark is Mark.SIGNATURE:
            self._mark(index, region.end, SpanKind.SIGNATURE)
            return region.end
        first = self._lead_in(index, floor)
        introduced = first < index or self._intro_within(index, region.end)
        if not (introduced or self.answers or region.mark is Mark.START):
            return index  # a person's own block quote, or a layout
        self._mark(first, region.end, SpanKind.QUOTED)
        self._decided(0.97 if introduced else 0.9, "intro+html" if introduced else f"html:{region.method}")
        after = self.lines.next_written(region.end)
        if after < self.lines.count and self.lines.quoted[after]:
            return self._prefixed(after, introduced=True)
        return region.end

    def _intro_within(self, first: int, end: int) -> bool:
        """Whether the words agree with the HTML: a strong intro begins in line `first`."""
        lines = self.lines.bare
        for last in range(first, min(end, first + _MAX_LEADING_INTRO)):
            if lines[last] and may_end_intro(lines[last]):
                intro = find_intro(lines, last, first)
                return intro is not None and intro.strong and intro.first == first
        return False

    def _region_near(self, index: int) -> Region | None:
        """A quoted region of the HTML that begins within _NEAR lines of line `index`."""
        for region in self.found[:4]:
            if region.mark is not Mark.SIGNATURE and abs(region.first - index) <= _NEAR:
                return region
        return None

    def _open(self, first: int, body: int, floor: int, confidence: float, method: str) -> int:
        """Mark a quote whose announcement is lines[first:body]; the line after all of it."""
        lines = self.lines
        first = self._lead_in(first, floor)
        after = lines.next_written(body)
        region = self._region_near(first) or self._region_near(body) or self._region_near(after)
        agreed = f"{method}+html" if region else method
        confidence = max(confidence, 0.97) if region and confidence != _PASTED else confidence
        if after < lines.count and lines.quoted[after]:
            self._mark(first, after, SpanKind.QUOTED)
            self._decided(max(confidence, 0.95), agreed)
            return self._prefixed(after, introduced=True)
        if region and region.mark is not Mark.START:
            end = self._end_of_regions(max(body, region.end))
        else:
            end = lines.count
            self.certain = self.certain and after >= lines.count
        self._mark(first, end, SpanKind.QUOTED)
        self._decided(confidence, agreed)
        return end

    def _end_of_regions(self, end: int) -> int:
        """`end`, moved on over regions that follow an intro or quote without new text between."""
        for region in self.found:
            if region.mark is Mark.SIGNATURE or region.first < end:
                end = max(end, region.end) if region.mark is not Mark.SIGNATURE else end
            elif self.lines.next_written(end) == region.first:
                end = region.end
            else:
                break
        return end

    def _lead_in(self, first: int, floor: int) -> int:
        """Where a quote's announcement begins, with the rule or the unknown intro right above it."""
        lines = self.lines
        above = first - 1
        while above >= floor and not lines.bare[above] and first - above <= 2:
            above -= 1
        if above < floor or not lines.bare[above] or lines.quoted[above]:
            return first
        if is_rule(lines.bare[above]):
            return above
        if lines.bare[above][-1] in ":：" and grade(lines.bare[above]):
            intro = find_intro(lines.bare, above, max(floor, above - _MAX_LEADING_INTRO))
            return first if intro is None else intro.first
        return first

    def _prefixed(self, index: int, *, introduced: bool) -> int:
        """Mark the run of `>` lines that begins in line `index`, blank lines inside it included."""
        lines = self.lines
        end, written = index, index
        while written < lines.count:
            if lines.quoted[written]:
                end = written = written + 1
            elif not lines.bare[written] or self._is_wrapped_rest(written):
                written += 1
            else:
                break
        follows = index > 0 and self.kinds[index - 1] is SpanKind.QUOTED
        if introduced or self._is_quote_run(index, end) or (follows and not any(lines.bare[index:end])):
            self._mark(index if introduced else self._unclosed_intro(index), end, SpanKind.QUOTED)
            if not introduced:
                self._decided(0.85, "prefix")
        return end

    def _unclosed_intro(self, index: int) -> int:
        """Where an intro without a colon, right above the `>` line `index`, begins; else `index`."""
        lines = self.lines.bare
        above = index - 1 if index and lines[index - 1] else index - 2
        if above < 0 or not lines[above] or self.kinds[above] is not SpanKind.NEW or "@" not in lines[above]:
            return index
        intro = find_intro(lines, above, max(0, above - _MAX_LEADING_INTRO))
        return index if intro is None else intro.first

    def _is_wrapped_rest(self, index: int) -> bool:
        """Whether an unmarked line between two `>` lines is the rest of the first, wrapped by a host."""
        lines = self.lines
        if not (lines.quoted[index - 1] and index + 1 < lines.count and lines.quoted[index + 1]):
            return False
        before, text = lines.bare[index - 1], lines.bare[index]
        if text.startswith(("(http", "<http", "[http")):
            return True
        return len(before) >= _LONG_LINE and len(text) < 30 and text[0].islower() and before[-1] not in ".!?:"

    def _is_quote_run(self, first: int, end: int) -> bool:
        """Whether `>` lines that nothing introduces are a quote, not a prompt, an arrow or ">From "."""
        written = [at for at in range(first, end) if self.lines.bare[at]]
        if not written:
            return False
        raw = [self.lines.raw(at) for at in written[:50]]
        if all(line.startswith(">>>") for line in raw):
            return False
        if len(written) > 1:
            return True
        line = raw[0]
        return not line.startswith((">From ", ">=", ">_", ">:")) and not line.endswith("<")

    def _mark(self, first: int, end: int, kind: SpanKind) -> None:
        self.kinds[first:end] = [kind] * (end - first)

    def _decided(self, confidence: float, method: str) -> None:
        self.confidence = min(self.confidence, confidence)
        if method not in self.methods and len(self.methods) < 4:
            self.methods.append(method)


def _close_gaps(work: _Splitting) -> None:
    """Give the blank lines below a quote to it where there are blank lines above it too.

    Joining the new text around it then leaves one gap, not two.
    """
    lines, kinds = work.lines, work.kinds
    index = 0
    while index < lines.count:
        if kinds[index] is not SpanKind.QUOTED:
            index += 1
            continue
        gap_above = index == 0 or not lines.bare[index - 1]
        while index < lines.count and kinds[index] is SpanKind.QUOTED:
            index += 1
        while gap_above and index < lines.count and kinds[index] is SpanKind.NEW and not lines.bare[index]:
            kinds[index] = SpanKind.QUOTED
            index += 1


def _content(text: str, work: _Splitting, tokens: tuple[str, ...]) -> Content:
    """The result of a finished pass."""
    if work.is_forward:
        whole = (Span(SpanKind.NEW, 0, len(text)),)
        return Content(whole, text.strip(), 0.9, tokens, "forward")
    _close_gaps(work)
    _mark_signatures(work)
    spans = _spans(text, work.lines, work.kinds)
    reply = _join(text, spans)
    confidence, method = work.confidence, "+".join(work.methods) or "none"
    if not reply and _holds_words(text, spans, SpanKind.SIGNATURE):
        work.kinds = [SpanKind.NEW if kind is SpanKind.SIGNATURE else kind for kind in work.kinds]
        spans = _spans(text, work.lines, work.kinds)
        reply = _join(text, spans)
    if not reply and text.strip() and not _only_quoted(work):
        return Content(spans, text.strip(), 0.3, tokens, f"{method}:nothing-new")
    if confidence < THRESHOLD:
        reply = text.strip()
    return Content(spans, reply, confidence, tokens, method)


def _only_quoted(work: _Splitting) -> bool:
    """Whether a mail without new text is truly only a quote: an answer whose marks or words say so."""
    said = any(not method.startswith("html:") for method in work.methods)
    return work.answers and work.certain and said


def _holds_words(text: str, spans: Sequence[Span], kind: SpanKind) -> bool:
    return any(char.isalnum() for span in spans if span.kind is kind for char in text[span.start : span.end])


def _mark_signatures(work: _Splitting) -> None:
    """Mark the signature at the end of each stretch of new text."""
    kinds, lines = work.kinds, work.lines
    start = 0
    while start < lines.count:
        end = start
        while end < lines.count and kinds[end] is kinds[start]:
            end += 1
        if kinds[start] is SpanKind.NEW and (lines.complete or end < lines.count):
            at = signature_start(lines.bare, start, end)
            kinds[at:end] = [SpanKind.SIGNATURE] * (end - at)
        start = end


def _spans(text: str, lines: Lines, kinds: Sequence[SpanKind]) -> tuple[Span, ...]:
    """Runs of lines of one kind, as offsets into `text`; together exactly all of it."""
    spans: list[Span] = []
    first = 0
    for index in range(1, lines.count + 1):
        if index == lines.count or kinds[index] is not kinds[first]:
            end = len(text) if index == lines.count else lines.starts[index]
            spans.append(Span(kinds[first], lines.starts[first], end))
            first = index
    return tuple(spans)


def _join(text: str, spans: Sequence[Span]) -> str:
    return "".join(text[span.start : span.end] for span in spans if span.kind is SpanKind.NEW).strip()
