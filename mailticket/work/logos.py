"""The logo of a department as a part of its mails, read once per version of the file."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import structlog

from mailticket.config.desk import Department
from mailticket.config.logo import LARGEST_LOGO, logo_type
from mailticket.mail.compose import OutgoingAttachment

log = structlog.get_logger()


def logo_of(department: Department | None) -> OutgoingAttachment | None:
    """A department's logo, to be shown in its mails to customers; None where there is none.

    A file that is gone or spoilt since the configuration was read costs the mail its logo and no more.
    """
    if department is None or department.logo is None:
        return None
    try:
        changed = department.logo.stat().st_mtime_ns
        return _read(department.logo, changed, department.address.rpartition("@")[2])
    except (OSError, ValueError) as error:
        log.warning("logo.left_out", department=department.key, reason=str(error))
        return None


@lru_cache(maxsize=64)
def _read(path: Path, changed: int, domain: str) -> OutgoingAttachment:
    data = path.read_bytes()
    kind = logo_type(data)
    if kind is None or len(data) > LARGEST_LOGO:
        raise ValueError(f"{path} is no small image any more")
    name = f"logo.{kind.partition('/')[2]}"
    return OutgoingAttachment(name, kind, data, f"logo.{sha256(data).hexdigest()[:16]}@{domain}")
