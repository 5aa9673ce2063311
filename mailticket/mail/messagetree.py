"""A standard email.message.Message over our own tree, for libraries that ask for one."""

from __future__ import annotations

from email.message import Message
from typing import Final

from mailticket.mail.charset import clean_text
from mailticket.mail.encoded_word import decode_raw
from mailticket.mail.header import HeaderBlock, read_headers
from mailticket.mail.limits import Limits
from mailticket.mail.structure import Part, split
from mailticket.mail.transfer import decoded_body

_BLOCK_TYPES: Final = frozenset({"message/delivery-status", "message/global-delivery-status"})
_MESSAGE_TYPES: Final = frozenset({"message/rfc822", "message/global"})


def build_message(part: Part, limits: Limits) -> Message:
    """The compat32 message of a part and all below it, as the standard parser would have built it.

    Header values are decoded from raw 8-bit but keep their encoded-words; leaf bodies are cut at
    `limits.message_part` bytes; messages in messages are bounded in depth and number.
    """
    return _Builder(limits).build(part, 0)


class _Builder:
    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.messages_left = limits.messages

    def build(self, part: Part, depth: int) -> Message:
        """`depth` counts the messages around this part, not the multiparts."""
        message = _with_headers(part.block)
        if part.parent is not None and part.parent.content_type == "multipart/digest":
            message.set_default_type("message/rfc822")
        if part.children:
            _attach(message, [self.build(child, depth) for child in part.children])
        elif part.content_type in _BLOCK_TYPES:
            data = decoded_body(part)[0][: self.limits.message_part]
            _attach(message, _blocks(data, self.limits))
        elif (
            part.content_type in _MESSAGE_TYPES and depth < self.limits.message_nesting and self.messages_left
        ):
            self.messages_left -= 1
            inner, _ = split(_bounded(part, self.limits), self.limits)
            _attach(message, [self.build(inner, depth + 1)])
        else:
            body = part.raw[part.start : min(part.end, part.start + self.limits.message_part)]
            message.set_payload(body.decode("ascii", "surrogateescape"))
        return message


def _attach(message: Message, children: list[Message]) -> None:
    message.set_payload([*children])


def _bounded(part: Part, limits: Limits) -> bytes:
    """A message within a message, cut: only its headers and first parts matter here."""
    return decoded_body(part)[0][: 4 * limits.message_part]


def _with_headers(block: HeaderBlock) -> Message:
    message = Message()
    for name, value in block.fields:
        text = value.decode("ascii") if value.isascii() else decode_raw(value)
        message[name] = clean_text(text)
    message.set_payload("")  # get_payload(decode=True) raises UnboundLocalError where there is none
    return message


def _blocks(data: bytes, limits: Limits) -> list[Message]:
    """The header blocks of a delivery status (RFC 3464 section 2.1)."""
    blocks: list[Message] = []
    position = 0
    while position < len(data) and len(blocks) < limits.parts:
        block = read_headers(data, position, len(data), limits)
        if block.body_start == position:  # not a field: step over the line
            newline = data.find(b"\n", position)
            position = newline + 1 if newline >= 0 else len(data)
            continue
        position = block.body_start
        if block.fields:
            blocks.append(_with_headers(block))
    return blocks or [_with_headers(HeaderBlock())]
