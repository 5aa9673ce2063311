"""Which images count as the decoration of a signature."""

from __future__ import annotations

import pytest

from mailticket.domain.decoration import MAX_LOGO, is_logo
from mailticket.mail.types import Attachment


def image(kind: str = "inline", content_type: str = "image/png", size: int = 2_000) -> Attachment:
    return Attachment("logo.png", content_type, size, "0" * 64, kind == "inline", "logo@x", b"", kind)


@pytest.mark.parametrize(
    ("attachment", "seen", "folded"),
    [
        (image(), 0, False),
        (image(), 1, False),
        (image(), 2, True),
        (image(), 9, True),
        (image(size=MAX_LOGO), 2, True),
        (image(size=MAX_LOGO + 1), 2, False),
        (image(kind="file"), 9, False),
        (image(content_type="application/pdf"), 9, False),
    ],
)
def test_the_same_small_inline_image_in_mail_after_mail_is_folded(
    attachment: Attachment, seen: int, folded: bool
) -> None:
    assert is_logo(attachment, seen) is folded
