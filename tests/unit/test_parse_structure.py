"""The tree of parts, the message made of it, and the names of attachments."""

from __future__ import annotations

import email
from email.message import Message
from pathlib import Path

import pytest

from mailticket.mail.attachment import clean_filename, type_for_name
from mailticket.mail.limits import DEFAULT_LIMITS
from mailticket.mail.parse import message_ids, parse
from mailticket.mail.structure import split
from mailticket.mail.transfer import find_uuencoded

REPORT = b"""From: mailer-daemon@mx.example
Content-Type: multipart/report; report-type=delivery-status; boundary=R

preamble
--R

It failed.
--R
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; a@x.example
Action: failed
Status: 5.1.1

Final-Recipient: rfc822; b@x.example
Action: delayed
Status: 4.2.2
--R
Content-Type: message/rfc822

Message-ID: <original@desk.example>
Content-Type: multipart/mixed; boundary=I

--I

inner
--I--
--R--
epilogue
"""


def _types(message: Message) -> list[str]:
    return [part.get_content_type() for part in message.walk()]


def test_the_message_has_the_tree_the_standard_parser_would_build() -> None:
    ours, theirs = parse(REPORT).message, email.message_from_bytes(REPORT)
    assert _types(ours) == _types(theirs)
    assert [part.get_payload(decode=True) for part in ours.walk() if not part.is_multipart()] == [
        (part.get_payload(decode=True) or b"")  # the standard parser gives None for a status block
        for part in theirs.walk()
        if not part.is_multipart()
    ]
    status = next(part for part in ours.walk() if part.get_content_type() == "message/delivery-status")
    blocks = status.get_payload()
    assert isinstance(blocks, list)
    assert [block["Action"] for block in blocks if isinstance(block, Message)] == [None, "failed", "delayed"]


def test_the_golden_mails_have_the_trees_of_the_standard_parser() -> None:
    """Where the standard parser keeps to the RFC; mails it takes apart otherwise are left out by name."""
    folder = Path(__file__).parents[1] / "mails" / "parsing"
    differing = {
        *("bare-cr", "blank-lines-before-headers", "bom-before-headers", "content-type-just-text"),
        *("external-body", "nested-sixty-deep", "no-boundary-parameter", "only-a-preamble"),
        "part-headers-without-blank-line",
    }
    found = {
        path.stem
        for path in folder.glob("*.eml")
        if _types(parse(path.read_bytes()).message) != _types(email.message_from_bytes(path.read_bytes()))
    }
    assert found <= differing


def test_a_forwarding_chain_is_followed_to_its_bound() -> None:
    raw = b"Content-Type: message/rfc822\n\n" * 40 + b"Subject: last\n\nx"
    assert len(_types(parse(raw).message)) == DEFAULT_LIMITS.message_nesting + 1


def test_large_parts_are_cut_in_the_message_but_whole_as_attachments() -> None:
    data = b"x" * (DEFAULT_LIMITS.message_part + 1000)
    raw = b"Content-Type: application/octet-stream\n\n" + data
    parsed = parse(raw)
    assert parsed.mail.attachments[0].data == data
    assert len(str(parsed.message.get_payload())) == DEFAULT_LIMITS.message_part


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_the_line_end_before_a_boundary_belongs_to_the_boundary(newline: bytes) -> None:
    raw = newline.join(
        [
            b"Content-Type: multipart/mixed; boundary=B",
            b"",
            b"--B",
            b"",
            b"one",
            b"",
            b"--B  ",
            b"",
            b"two",
            b"--B--",
        ]
    )
    root, defects = split(raw, DEFAULT_LIMITS)
    assert [part.body for part in root.children] == [b"one" + newline, b"two"]
    assert defects == []


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.doc", "a.doc"),
        ("a/b/", "b"),
        (".htaccess", "htaccess"),
        ("..", ""),
        ("", ""),
        ("a\r\n b.txt", "a b.txt"),
        ("a\0.txt", "a.txt"),
        ("x\u202egpj.exe", "xgpj.exe"),
        ("con", "_con"),
        ("trailing. . ", "trailing"),
        ("a" * 500 + ".txt", "a" * 176 + ".txt"),
        ("Übersicht 2026.pdf", "Übersicht 2026.pdf"),
    ],
)
def test_file_names_are_labels(name: str, cleaned: str) -> None:
    assert clean_filename(name, 180) == cleaned


def test_types_are_guessed_from_names() -> None:
    assert [type_for_name(name) for name in ("a.PDF", "b.txt", "c", "d.eml")] == [
        "application/pdf", "text/plain", "application/octet-stream", "message/rfc822",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        (b"<a@x.example>", ("a@x.example",)),
        (b"<a@x.example> <b@x.example>\r\n\t<a@x.example>", ("a@x.example", "b@x.example")),
        (b"<a\r\n @x.example>", ("a@x.example",)),
        (b"a@x.example", ("a@x.example",)),
        (b"Your message of Monday <a@x.example>", ("a@x.example",)),
        (b"<>", ()),
        (b"", ()),
        (b"<", ()),
    ],
)
def test_message_ids_are_read_tolerantly(value: bytes, ids: tuple[str, ...]) -> None:
    assert message_ids([value], 10, DEFAULT_LIMITS) == ids


def test_of_too_many_references_the_nearest_count() -> None:
    value = b" ".join(b"<%d@x.example>" % n for n in range(50))
    assert message_ids([value], 3, DEFAULT_LIMITS) == ("47@x.example", "48@x.example", "49@x.example")


def test_an_unfinished_uuencoded_block_stays_text() -> None:
    assert find_uuencoded(b"begin 644 x\n#86)C\n") == []
    assert [found[2] for found in find_uuencoded(b"hi\nbegin 644 x\n#86)C\n`\nend\n")] == [b"abc"]
