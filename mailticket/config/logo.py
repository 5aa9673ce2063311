"""Logos of departments: which files will do. What is sent with every mail has to be small."""

from __future__ import annotations

from pathlib import Path

LARGEST_LOGO = 60_000
"""Bytes; in base64 a third more, in every mail."""
_SIGNS = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))


def logo_type(data: bytes) -> str | None:
    """The content type of an image that every mail program shows; None for anything else."""
    return next((kind for sign, kind in _SIGNS if data.startswith(sign)), None)


def logo_problem(path: Path) -> str | None:
    """Why a file cannot be a logo; None when it can."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as exc:
        return f"cannot be read: {exc.strerror}"
    if logo_type(head) is None:
        return "is no PNG, JPEG or GIF image, which are what mail programs show"
    if size > LARGEST_LOGO:
        return f"has {size} bytes; a logo goes with every mail, so it may have {LARGEST_LOGO}"
    return None
