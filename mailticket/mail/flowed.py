"""Plain text as senders meant it: format=flowed (RFC 3676) and Outlook's doubled line ends."""

from __future__ import annotations


def unflow(text: str, *, delsp: bool) -> str:
    """Join the soft-broken lines of a format=flowed text; quote marks and the signature line stay.

    Lines are joined only within one depth of quoting. Space-stuffing is removed.
    """
    out: list[list[str]] = []
    depth_before, open_line = -1, False
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        if content[:1] == " ":
            content = content[1:]
        signature = content == "-- "
        flowed = content[-1:] == " " and not signature
        if flowed and delsp:
            content = content[:-1]
        if open_line and depth == depth_before and not signature:
            out[-1].append(content)
        else:
            prefix = ">" * depth + (" " if depth and content else "")
            out.append([prefix + content])
        open_line, depth_before = flowed, depth
    return "\n".join("".join(piece) for piece in out)


def undouble(text: str) -> str:
    """Undo doubled line ends: Outlook's plain text of an HTML mail has a blank line after every line.

    Only where it is unmistakable: at least eight text lines, none of which follow each other
    directly, and blank runs that come in odd lengths only (a real paragraph break is then three).
    """
    lines = text.split("\n")
    if len(lines) < 15:
        return text
    runs: list[int] = []
    run = 0
    text_lines = 0
    for line in lines:
        if line.strip():
            if text_lines and run == 0:
                return text
            if text_lines:
                runs.append(run)
            text_lines += 1
            run = 0
        else:
            run += 1
    if text_lines < 8 or not runs or any(length % 2 == 0 for length in runs) or max(runs) == 1:
        return text
    return _halve(lines)


def _halve(lines: list[str]) -> str:
    out: list[str] = []
    run = 0
    for line in lines:
        if line.strip():
            if out:
                out.extend([""] * (run // 2))
            out.append(line)
            run = 0
        else:
            run += 1
    return "\n".join(out)
