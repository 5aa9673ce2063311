"""What was understood of a mail, as plain data for `mailticket explain --json` and the golden mails."""

from __future__ import annotations

from typing import Any

from mailticket.mail.types import Address, Attachment, Bounce, Reading


def explain_dict(reading: Reading) -> dict[str, Any]:
    """A reading as JSON-ready values: strings, numbers, booleans, lists and dicts only."""
    mail = reading.mail
    return {
        "message_id": mail.message_id,
        "from": _address(mail.sender.shown),
        "reply_to": [_address(one) for one in mail.reply_to],
        "to": [_address(one) for one in mail.to],
        "cc": [_address(one) for one in mail.cc],
        "subject": mail.subject,
        "text": mail.text,
        "reply": reading.content.reply,
        "attachments": [_attachment(one) for one in mail.attachments],
        "auto_submitted": reading.classification.automatic,
        "bounce": _bounce(reading.classification.bounce),
        "defects": [{"code": one.code, "detail": one.detail} for one in mail.defects],
        "identity": {"address": mail.sender.address, "problem": mail.sender.problem},
        "in_reply_to": list(mail.in_reply_to),
        "references": list(mail.references),
        "date": mail.date.isoformat() if mail.date else None,
        "html": mail.html,
        "forwarded": None
        if mail.forwarded is None
        else {"from": _address(mail.forwarded.sender), "subject": mail.forwarded.subject},
        "kind": reading.classification.kind.value,
        "returns_on": reading.classification.returns_on.isoformat()
        if reading.classification.returns_on
        else None,
        "evidence": [
            {"name": one.name, "detail": one.detail, "weight": one.weight}
            for one in reading.classification.evidence
        ],
        "confidence": reading.content.confidence,
        "method": reading.content.method,
    }


def _address(address: Address) -> dict[str, str]:
    return {"name": address.name, "address": address.address}


def _attachment(one: Attachment) -> dict[str, Any]:
    return {
        "filename": one.filename,
        "content_type": one.content_type,
        "size": one.size,
        "sha256": one.sha256,
        "inline": one.inline,
        "content_id": one.content_id,
        "kind": one.kind,
    }


def _bounce(bounce: Bounce | None) -> dict[str, Any] | None:
    if bounce is None:
        return None
    return {
        "recipients": [
            {
                "address": one.address,
                "status": one.status,
                "action": one.action,
                "permanent": one.permanent,
                "diagnostic": one.diagnostic,
            }
            for one in bounce.recipients
        ],
        "original_message_id": bounce.original_message_id,
        "original_recipient": bounce.original_recipient,
    }
