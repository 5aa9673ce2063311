"""Writes the table of commands into docs/commands.md: `python -m tests.unit.commands_page`."""

from __future__ import annotations

from pathlib import Path

from mailticket.domain.effects import ALONE
from mailticket.mail.vocabulary import CommandName

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
_BEGIN, _END = "<!-- commands:", "<!-- end of commands -->"


def table() -> str:
    """The commands as a table in Markdown, in the order of the vocabulary."""
    rows = ["| command | what it does | for example | also |", "|---|---|---|---|"]
    for one in CommandName:
        usage = f"#{one} {one.shape.placeholder}".strip()
        alone = " (*alone*)" if one in ALONE else ""
        also = ", ".join(f"`#{word}`" for word in one.aliases)
        rows.append(f"| `{usage}` | {one.help}{alone} | `#{one.example}` | {also} |")
    return "\n".join(rows)


def written(page: str) -> str:
    """The page with the table of now."""
    before, _, rest = page.partition(_BEGIN)
    comment, _, rest = rest.partition("\n")
    return f"{before}{_BEGIN}{comment}\n\n{table()}\n\n{_END}{rest.partition(_END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
