"""Images that stand in the HTML itself (`data:image/png;base64,...`), made into inline attachments.

Some clients paste pictures that way; left there they would push a two-line reply over the bound of
HTML, and the sanitiser, which lets no data: address through, would lose them.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from mailticket.mail.attachment import is_content_type, make, type_extension
from mailticket.mail.encoded_word import base64_bytes
from mailticket.mail.types import Attachment

_DATA_IMAGE: Final = re.compile(
    rb"data:(image/[a-z0-9.+-]{1,40})(?:;[a-z0-9=-]{1,40})?;base64,([A-Za-z0-9+/=\s%]*)"
)


def take_images(html: bytes, limit: int) -> tuple[bytes, list[Attachment]]:
    """The HTML with its first `limit` images replaced by cid: references, and those images.

    Images beyond the limit lose their data; the raw mail keeps it.
    """
    if b"data:image/" not in html:
        return html, []
    found: dict[str, Attachment] = {}

    def replace(match: re.Match[bytes]) -> bytes:
        data = base64_bytes(match.group(2).replace(b"%2B", b"+").replace(b"%2F", b"/").replace(b"%3D", b"="))
        content_type = match.group(1).decode("ascii")
        if not data or len(found) >= limit or not is_content_type(content_type):
            return b"data:,"
        cid = f"{hashlib.sha256(data).hexdigest()[:24]}@inline.invalid"
        name = f"image-{len(found) + 1}.{type_extension(content_type)}"
        found.setdefault(cid, make(name, content_type, data, "inline", inline=True, cid=cid))
        return b"cid:" + cid.encode("ascii")

    return _DATA_IMAGE.sub(replace, html), list(found.values())
