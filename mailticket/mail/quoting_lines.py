"""The lines of a mail's text as reply extraction sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailticket.mail.quoting_intro import glued_intro, invisible_removed

MAX_LINES = 5_000
MAX_CHARS = 256_000


class Lines:
    """The lines that are looked at: where they begin, their bare text, and whether `>` is before them."""

    def __init__(self, text: str) -> None:
        self.head = text if len(text) <= MAX_CHARS else text[:MAX_CHARS]
        pieces = self.head.split("\n", MAX_LINES)
        self.complete = len(self.head) == len(text) and len(pieces) <= MAX_LINES
        del pieces[MAX_LINES:]
        if pieces and not pieces[-1] and self.complete:
            pieces.pop()
        self.starts: list[int] = []
        self.bare: list[str] = []
        self.quoted: list[bool] = []
        offset = 0
        for piece in self._unglued(pieces):
            self.starts.append(offset)
            offset += len(piece)
            line = piece.strip() if piece.isascii() else invisible_removed(piece.replace("＞", ">")).strip()
            quoted = line.startswith(">")
            self.quoted.append(quoted)
            self.bare.append(line.lstrip("> \t") if quoted else line)
        self.count = len(self.starts)

    @staticmethod
    def _unglued(pieces: Sequence[str]) -> Iterator[str]:
        """The lines with their LF; one that has an intro glued to its end comes as two."""
        for piece in pieces:
            at = glued_intro(piece) if piece.endswith(("wrote:", "wrote: ")) else None
            if at:
                yield piece[:at]
            yield (piece[at:] if at else piece) + "\n"

    def next_written(self, index: int) -> int:
        """The first line at or after `index` that is not blank; `count` when there is none."""
        while index < self.count and not self.bare[index] and not self.quoted[index]:
            index += 1
        return index

    def raw(self, index: int) -> str:
        """The start of a line with its quote marks, stripped."""
        start = self.starts[index]
        return self.head[start : start + 400].partition("\n")[0].strip()
