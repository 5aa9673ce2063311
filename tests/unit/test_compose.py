"""mail/compose.py: what it writes, the standard library reads back, whatever the values hold."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses, unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailticket.mail import header_out
from mailticket.mail.compose import LOOP_HEADER, OutgoingAttachment, OutgoingParts, compose
from mailticket.mail.types import Address

DESK = Address("Example Support", "support@desk.example")
ANN = Address("Ann Other", "ann@customer.example")
PARTS = OutgoingParts(
    sender=DESK,
    to=(ANN,),
    subject="Re: the printer",
    message_id="mt.token.1@desk.example",
    date=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
    text="Hello Ann,\n\nit prints.\n",
)
FIELD = re.compile(rb"[!-9;-~]+: ?[ -~]*")
CONTINUED = re.compile(rb" [!-~][ -~]*")


def read(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def is_fit_for_the_wire(raw: bytes) -> bool:
    lines = raw.split(b"\r\n")
    return (
        raw.isascii()
        and b"\0" not in raw
        and b"\r" not in raw.replace(b"\r\n", b"")
        and b"\n" not in raw.replace(b"\r\n", b"")
        and max(map(len, lines)) <= 998
    )


def header_lines(raw: bytes) -> list[bytes]:
    return raw.partition(b"\r\n\r\n")[0].split(b"\r\n")


def field_names(raw: bytes) -> list[str]:
    return [line.partition(b":")[0].decode() for line in header_lines(raw) if not line.startswith(b" ")]


ANY_TEXT = st.text(alphabet=st.characters(codec=None), max_size=300)
ATOMS = st.text(alphabet="abcXYZ019!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=20)
LOCAL_PARTS = st.lists(ATOMS, min_size=1, max_size=3).map(".".join)
DOMAINS = st.sampled_from(["desk.example", "a.b-c.example", "xn--bcher-kva.example", "localhost"])
ADDRESSES = st.builds(
    lambda name, local, domain: Address(name, f"{local}@{domain}"),
    st.text(max_size=60),
    LOCAL_PARTS,
    DOMAINS,
)
IDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789.$-_+=", min_size=1, max_size=120).map(
    lambda left: f"{left}@mail.example"
)


@settings(max_examples=200)
@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT, st.lists(ANY_TEXT, max_size=4), ANY_TEXT)
@example("a\r\nBcc: eve@evil.example", "b\nX: y", "\r\n.\r\n", "<p>\r", ["x> y\r\n", "<a@b>"], "c\x00")
@example("\u2028Bcc: x", "\x85Bcc: x", "From me\nFrom you\n", "--=_mt-", ["=?utf-8?q?x?="], "\x0b\x0c")
def test_no_value_of_any_kind_adds_a_line_or_breaks_the_wire(
    subject: str, name: str, text: str, html: str, ids: list[str], filename: str
) -> None:
    parts = replace(
        PARTS,
        sender=Address(name, DESK.address),
        to=(Address(name, ANN.address), ANN),
        cc=(Address(name, ANN.address),),
        subject=subject,
        text=text,
        html=html,
        in_reply_to=subject,
        references=tuple(ids),
        instance=name,
        automatic="auto-replied",
        attachments=(OutgoingAttachment(filename, name, text.encode("utf-8", "replace")),),
        headers=(("X-Further", name),),
    )
    raw = compose(parts)
    assert is_fit_for_the_wire(raw)
    allowed = {"Date", "From", "To", "Cc", "Subject", "Message-ID", "In-Reply-To", "References"}
    allowed |= {"Auto-Submitted", "X-Auto-Response-Suppress", LOOP_HEADER, "X-Further"}
    allowed |= {"MIME-Version", "Content-Type"}
    names = field_names(raw)
    assert len(names) == len(set(names))
    assert set(names) <= allowed
    assert all(FIELD.fullmatch(line) or CONTINUED.fullmatch(line) for line in header_lines(raw))
    assert all(len(line) <= 78 for line in header_lines(raw) if b"References" not in line)


@settings(max_examples=200)
@given(st.text(max_size=200))
@example("Störung: Drucker 3. Stock druckt nur noch halbe Seiten, seit heute früh, bitte dringend ansehen")
@example("プリンターが動きません" * 10)
@example("=?utf-8?q?already?= encoded")
@example("x" * 300)
@example("👩‍👩‍👧‍👦" * 20)
@example("a\u3000b\u00a0c  d\te")
def test_a_subject_is_read_back_as_written(subject: str) -> None:
    raw = compose(replace(PARTS, subject=subject))
    assert read(raw)["Subject"] == header_out.one_line(subject)


@settings(max_examples=200)
@given(st.lists(ADDRESSES, min_size=1, max_size=5), ADDRESSES)
def test_names_and_addresses_are_read_back_as_written(to: list[Address], sender: Address) -> None:
    raw = compose(replace(PARTS, to=tuple(to), sender=sender, cc=tuple(to), reply_to=(sender,)))
    message, plain = read(raw), email.message_from_bytes(raw)
    for field, mailboxes in (("To", to), ("Cc", to), ("From", [sender]), ("Reply-To", [sender])):
        specs = [one.addr_spec for one in message[field].addresses]
        assert specs == [header_out.checked_address(one.address) for one in mailboxes]
        names = [decoded(name) for name, _ in getaddresses([plain[field]])]
        assert names == [" ".join(header_out.one_line(one.name).split()) for one in mailboxes]


def decoded(name: str) -> str:
    """By email.header: the registry of 3.11 keeps the blank between two encoded words of a name."""
    return str(make_header(decode_header(name)))


@settings(max_examples=200)
@given(st.text(max_size=500), st.none() | st.text(max_size=500))
@example("From here on\n.\n..\n- \n-- \nends with blanks   \n" + "x" * 2000, "<p>" + "ä" * 3000)
@example("a=3D=\n=20 \t\n", "=_mt-\n")
def test_bodies_are_read_back_as_written(text: str, html: str | None) -> None:
    message = read(compose(replace(PARTS, text=text, html=html)))
    assert text_of(message) == as_sent(text)
    if html is not None:
        assert text_of(message, "html") == as_sent(html)


def as_sent(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", "\ufffd", text)
    return text if text.endswith("\n") else text + "\n"


@settings(max_examples=100)
@given(st.lists(IDS, max_size=60))
def test_references_are_never_encoded_and_bounded_and_keep_root_and_end(ids: list[str]) -> None:
    raw = compose(replace(PARTS, references=tuple(ids), in_reply_to=ids[-1] if ids else None))
    message = read(raw)
    got = str(message.get("References", "")).split()
    want = [f"<{one}>" for one in dict.fromkeys(ids)]
    assert b"=?" not in raw
    assert len(" ".join(got)) <= 900
    assert got[:1] == want[:1]
    assert got[1:] == want[len(want) - len(got) + 1 :]
    assert message.get("In-Reply-To") == (f"<{ids[-1]}>" if ids else None)


@given(st.binary(max_size=2000), st.text(max_size=100))
@example(b"\x00\r\n.\r\n" * 100, "Rechnung für März 2026, Anlage mit sehr langem Namen, Fassung 12 (neu).pdf")
def test_an_attachment_is_read_back_byte_for_byte_under_its_name(data: bytes, filename: str) -> None:
    raw = compose(replace(PARTS, attachments=(OutgoingAttachment(filename, "application/pdf", data),)))
    (part,) = read(raw).iter_attachments()
    kept = header_out.one_line(filename)[-150:].strip() or "attachment"
    assert part.get_content() == data
    # Python's own reader takes "<" and ">" around a whole name for quotes
    assert part.get_filename() == unquote(re.sub(r'["/\\]', "_", kept))
    assert part.get_content_type() == "application/pdf"
    assert part.get_content_disposition() == "attachment"


def test_text_alone_is_one_readable_part() -> None:
    raw = compose(PARTS)
    assert raw.endswith(b"\r\n\r\nHello Ann,\r\n\r\nit prints.\r\n")
    assert read(raw).get_content_type() == "text/plain"


def test_text_and_html_are_alternatives_with_text_first() -> None:
    message = read(compose(replace(PARTS, html="<p>it prints")))
    assert message.get_content_type() == "multipart/alternative"
    kinds = [part.get_content_type() for part in message.iter_parts()]
    assert kinds == ["text/plain", "text/html"]


def test_an_image_of_the_html_travels_beside_it_and_a_file_beside_both() -> None:
    parts = replace(
        PARTS,
        html='<img src="cid:logo@desk.example">',
        attachments=(
            OutgoingAttachment("log.txt", "text/plain", b"log"),
            OutgoingAttachment("logo.png", "image/png", b"\x89PNG", content_id="logo@desk.example"),
        ),
    )
    kinds = [part.get_content_type() for part in read(compose(parts)).walk()]
    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "text/plain",
    ]


def test_an_image_without_html_is_an_ordinary_file() -> None:
    image = OutgoingAttachment("logo.png", "image/png", b"\x89PNG", content_id="logo@desk.example")
    (part,) = read(compose(replace(PARTS, attachments=(image,)))).iter_attachments()
    assert part.get_content_disposition() == "attachment"


def test_a_mail_travels_inside_a_mail_as_a_message() -> None:
    inner = compose(replace(PARTS, subject="inner", message_id="inner@desk.example"))
    raw = compose(replace(PARTS, attachments=(OutgoingAttachment("m.eml", "message/rfc822", inner),)))
    (part,) = read(raw).iter_attachments()
    assert part.get_content_type() == "message/rfc822"
    assert part.get_content()["Subject"] == "inner"


def test_a_mail_in_eight_bits_is_written_in_seven_to_travel_as_a_message() -> None:
    inner = (
        "From: ann@customer.example\nSubject: Größe\nMIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGrüße, 漢字\n"
    ).encode()
    raw = compose(replace(PARTS, attachments=(OutgoingAttachment("m.eml", "message/rfc822", inner),)))
    assert raw.isascii()
    (part,) = read(raw).iter_attachments()
    assert part.get_content_type() == "message/rfc822"
    assert part.get_content().get_content() == "Grüße, 漢字\n"


@pytest.mark.parametrize(
    "inner", [b"Subject: x\n\n\0\xfc", b"a" * 2000, b"a: b\n\n\0", b"a: b\n\n--=_mt-a\n"]
)
def test_a_mail_that_may_not_stand_as_it_is_travels_as_octets(inner: bytes) -> None:
    raw = compose(replace(PARTS, attachments=(OutgoingAttachment("m.eml", "message/rfc822", inner),)))
    (part,) = read(raw).iter_attachments()
    assert part.get_content_type() == "application/octet-stream"
    assert part.get_content() == inner


@pytest.mark.parametrize(
    "kind", ["", "text", "multipart/mixed", "message/partial", "a/b; c=d", "a/b\r\nX: y"]
)
def test_a_type_that_is_none_becomes_octets(kind: str) -> None:
    raw = compose(replace(PARTS, attachments=(OutgoingAttachment("f", kind, b"x"),)))
    (part,) = read(raw).iter_attachments()
    assert part.get_content_type() == "application/octet-stream"


def test_an_automatic_mail_says_so_in_every_way() -> None:
    raw = compose(replace(PARTS, automatic="auto-generated", instance="desk-1", bulk=True))
    message = read(raw)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message[LOOP_HEADER] == "desk-1"
    assert message["Precedence"] == "bulk"


def test_a_mail_of_a_person_has_no_automatic_header() -> None:
    names = field_names(compose(replace(PARTS, instance="desk-1")))
    ours = "Date From To Subject Message-ID MIME-Version Content-Type Content-Transfer-Encoding"
    assert " ".join(names) == ours


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "@customer.example",
        "ann@",
        "ann@@customer.example",
        "ann@customer..example",
        "ann@-customer.example",
        "ann@customer.example.",
        "ann@[192.0.2.1]",
        "ann b@customer.example",
        'a"b@customer.example',
        "ann@customer.example>",
        "ann@customer.example\r\nBcc: eve@evil.example",
        "ann@customer.example\n",
        "ann,bob@customer.example",
        "änn@customer.example",
        "ann@büro.example",
        f"{'a' * 65}@customer.example",
        f"ann@{'a' * 64}.example",
        f"ann@{'a.' * 130}example",
        "ann@custo\u0000mer.example",
        "ann(comment)@customer.example",
    ],
)
def test_an_address_that_is_not_plain_is_refused(address: str) -> None:
    for field in ("sender", "to", "cc", "reply_to"):
        value = Address("x", address)
        with pytest.raises(ValueError):
            compose(replace(PARTS, **{field: value if field == "sender" else (value,)}))  # type: ignore[arg-type]  # fields of two types by name


@pytest.mark.parametrize("local", ["ann.", ".ann", "a..b"])
def test_a_local_part_with_misplaced_dots_is_quoted(local: str) -> None:
    raw = compose(replace(PARTS, to=(Address("", f"{local}@mobile.example"),)))
    assert f'To: "{local}"@mobile.example\r\n'.encode() in raw


@pytest.mark.parametrize(
    "message_id", ["", "<a@b>", "a b@c", "a@b\r\nX: y", "ä@b", "a" * 600, "=?utf-8?q?x?="]
)
def test_an_own_message_id_that_is_not_plain_is_refused_and_a_foreign_one_left_out(message_id: str) -> None:
    with pytest.raises(ValueError):
        compose(replace(PARTS, message_id=message_id))
    raw = compose(replace(PARTS, in_reply_to=message_id, references=(message_id, "root@a.example")))
    assert b"In-Reply-To" not in raw
    assert b"References: <root@a.example>\r\n" in raw


@pytest.mark.parametrize(
    "name", ["Bcc", "to", "X-MAILTICKET-LOOP", "Content-Type", "Content-X", "", "A B", "A:", "Ä"]
)
def test_a_further_header_that_is_not_one_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        compose(replace(PARTS, headers=((name, "x"),)))


def test_a_naive_date_or_nobody_to_write_to_is_refused() -> None:
    with pytest.raises(ValueError):
        compose(replace(PARTS, date=PARTS.date.replace(tzinfo=None)))
    with pytest.raises(ValueError):
        compose(replace(PARTS, to=()))


def test_the_date_is_written_in_its_own_offset() -> None:
    date = datetime(2026, 7, 1, 9, 30, tzinfo=timezone(timedelta(hours=2)))
    assert b"Date: Wed, 01 Jul 2026 09:30:00 +0200\r\n" in compose(replace(PARTS, date=date))


def test_the_same_parts_give_the_same_bytes() -> None:
    parts = replace(PARTS, html="<p>ä", attachments=(OutgoingAttachment("a", "a/b", b"c"),))
    assert compose(parts) == compose(parts)
