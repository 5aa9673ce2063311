"""Links to tap: a word in HTML, in text the word and an address that is short enough for one line."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import escape

_ROW_STYLE = "margin:0 0 10px"
_LINK_STYLE = (
    "display:inline-block;margin:0 6px 6px 0;padding:0 10px;line-height:1.9;border:1px solid #c5cad3;"
    "border-radius:4px;text-decoration:none;white-space:nowrap;color:#1f4e8c"
)


@dataclass(frozen=True, slots=True)
class Links:
    """(label, address, address for text) of each; the addresses are ours, made by mail/mailto.py."""

    links: tuple[tuple[str, str, str], ...]

    @property
    def is_block(self) -> bool:
        return True

    @property
    def size(self) -> int:
        return sum(len(label) + len(link) + len(short) + 200 for label, link, short in self.links)

    def line(self) -> str:
        return "; ".join(f"{label}: {short}" for label, _, short in self.links)

    def lines(self) -> list[str]:
        """One line for each address: broken in two it would be none."""
        return [line for label, _, short in self.links for line in (f"{label}:", f"  {short}")]

    def html(self, *, block: bool) -> str:
        anchors = " ".join(
            f'<a class="mt-link mt-line" style="{_LINK_STYLE}" href="{escape(link)}">{escape(label)}</a>'
            for label, link, _ in self.links
        )
        return f'<p style="{_ROW_STYLE}">{anchors}</p>' if block else anchors
