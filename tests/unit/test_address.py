"""Addresses: the tolerant reading for eyes, the strict one for identity."""

from __future__ import annotations

import pytest

from mailticket.mail.address import (
    canonical,
    identity,
    mixes_scripts,
    read_addresses,
    split_extension,
    without_extension,
)
from mailticket.mail.header_out import mailable
from mailticket.mail.types import Address

AGENT, MALLORY = "agent@corp.example", "mallory@evil.example"


@pytest.mark.parametrize(
    ("value", "address", "name"),
    [
        ("alice@x.example", "alice@x.example", ""),
        ("<alice@x.example>", "alice@x.example", ""),
        ("Alice <alice@x.example>", "alice@x.example", "Alice"),
        ("Alice Doe<alice@x.example>", "alice@x.example", "Alice Doe"),
        ('"Doe, Alice" <alice@x.example>', "alice@x.example", "Doe, Alice"),
        ("Doe, Alice <alice@x.example>", "alice@x.example", "Doe, Alice"),
        ("alice@x.example (Alice)", "alice@x.example", "Alice"),
        ("Alice <alice@x.example> (work)", "alice@x.example", "Alice"),
        ("ALICE@X.Example", "alice@x.example", ""),
        ("=?utf-8?q?J=C3=BCrgen?= <j@x.example>", "j@x.example", "Jürgen"),
        ('"=?utf-8?q?J=C3=BCrgen?=" <j@x.example>', "j@x.example", "Jürgen"),
        ("=?utf-8?q?M=C3=BCller,_J_(IT):_x?= <j@x.example>", "j@x.example", "Müller, J (IT): x"),
        ("Jürgen <j@bücher.example>", "j@xn--bcher-kva.example", "Jürgen"),
        ("用户@例子.example", "用户@xn--fsqu00a.example", ""),
        ("alice@x.example <Alice@x.example>", "alice@x.example", "alice@x.example"),
        ("'alice@x.example' <alice@x.example>", "alice@x.example", "alice@x.example"),
        (f'"{AGENT}" <{MALLORY}>', MALLORY, AGENT),
        ("O'Neil <o'neil@x.example>", "o'neil@x.example", "O'Neil"),
        ("root@localhost", "root@localhost", ""),
        ("a.b+c=d@x.example", "a.b+c=d@x.example", ""),
        ("double..dot.@mobile.example", "double..dot.@mobile.example", ""),
        ("Alice\r\n <alice@x.example>", "alice@x.example", "Alice"),
        (f'"{AGENT}"@evil.example', f'"{AGENT}"@evil.example', ""),
        (f'Agent <"{AGENT}"@evil.example>', f'"{AGENT}"@evil.example', "Agent"),
        (f'"<{AGENT}>"@evil.example', f'"<{AGENT}>"@evil.example', ""),
        ('"|Touch /tmp/x"@corp.example', '"|touch /tmp/x"@corp.example', ""),
        ('"a\\"b\\\\c "@corp.example', '"a\\"b\\\\c "@corp.example', ""),
        ('"agent"@corp.example', AGENT, ""),
        ("agent@[127.0.0.1]", "agent@[127.0.0.1]", ""),
        ("agent@[IPv6:2001:DB8::1]", "agent@[ipv6:2001:db8::1]", ""),
        ("ag\u0435nt@corp.example", "ag\u0435nt@corp.example", ""),  # the e is Cyrillic
        ("agent@corp.\u0435xample", "agent@corp.xn--xample-2of", ""),
        ('"Bob \\"the\\" Builder" <b@x.example>', "b@x.example", 'Bob "the" Builder'),
    ],
)
def test_one_plain_mailbox_is_an_identity(value: str, address: str, name: str) -> None:
    found = identity([value.encode().replace(b"\r\n", b"")])
    assert found.address == address
    assert found.problem is None
    assert found.shown.name == name
    assert canonical(found.shown.address) == address


@pytest.mark.parametrize(
    "value",
    [
        f"{AGENT} <{MALLORY}>",
        f"<{AGENT}> <{MALLORY}>",
        f"<{AGENT}>{MALLORY}",
        f"{AGENT}){MALLORY}(",
        f"{AGENT};{MALLORY}",
        f"{AGENT}, {MALLORY}",
        f"{AGENT} {MALLORY}",
        f"({AGENT}) {MALLORY}",
        f"{MALLORY} ({AGENT})",
        f"{MALLORY} (<{AGENT}>)",
        f'"{AGENT} <{MALLORY}>',
        f"=?utf-8?q?{AGENT.replace('@', '=40')}=3e?=@evil.example",
        "=?utf-8?q?agent?=@corp.example",
        "ａgent@corp.example",
        "agent@ｃorp.example",
        "agent\0@corp.example",
        "agent@corp.example.",
        "agent@corp..example",
        "agent@-corp.example",
        "agent@",
        "@corp.example",
        "agent",
        "",
        "<>",
        "<@relay.example:agent@corp.example>",
        "team: agent@corp.example;",
        "agent (x)@corp.example",
        "agent@(x)corp.example",
        "agent @corp.example",
        "Agent <agent@corp.example",
        "Agent agent@corp.example>",
        "Agent <agent@corp.example> via list",
        "-oQ/tmp@corp.example",
        '"-oQ /tmp"@corp.example',
        '"=?utf-8?q?agent?="@corp.example',
        '"a\tb"@corp.example',
        '"\u00e9 b"@corp.example',
        '"' + "a " * 32 + '"@corp.example',
        "agent@[127.0.0]",
        "agent@[127.0.0.1",
        "agent@[2001:db8::1]",
        "agent@[IPv6:127.0.0.1]",
        "agent@[agent@corp.example]",
        "agent@[ 127.0.0.1 ]",
        "a" * 65 + "@corp.example",
        "a@" + "b" * 64 + ".example",
        "a@" + "b.c" * 100,
        "=?utf-8?q?x=0d=0aBcc?= <agent@corp.example>",
        "=?utf-7?q?+2AA-?= <agent@corp.example>",
        "x: y <agent@corp.example>",
        "(" * 5000 + "agent@corp.example",
        '"' + 'a\\"' * 5000,
    ],
)
def test_anything_else_is_no_identity(value: str) -> None:
    found = identity([value.encode()])
    assert found.address is None
    assert found.problem


def test_no_or_two_from_headers_are_no_identity() -> None:
    assert identity([]).problem == "no From header"
    both = identity([AGENT.encode(), MALLORY.encode()])
    assert both.address is None
    assert both.shown == Address("", AGENT)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("a@x.example, B <b@x.example>", [("", "a@x.example"), ("B", "b@x.example")]),
        ("a@x.example; b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
        (
            "Team: a@x.example, b@x.example;, c@x.example",
            [("", "a@x.example"), ("", "b@x.example"), ("", "c@x.example")],
        ),
        ("undisclosed-recipients:;", []),
        ("a@x.example,", [("", "a@x.example")]),
        (",,,a@x.example", [("", "a@x.example")]),
        ("<a@x.example>a@x.example", [("", "a@x.example")]),
        ("Doe, Jane <j@x.example>, k@x.example", [("Doe, Jane", "j@x.example"), ("", "k@x.example")]),
        ('"A" <a@x.example>, "B, C" <b@x.example>', [("A", "a@x.example"), ("B, C", "b@x.example")]),
        ("A <a @ x.example>", [("A", "a@x.example")]),
        ("<@r.example:a@x.example>", [("", "a@x.example")]),
        ("A <a@x.example", [("A", "a@x.example")]),
        ("a@X.EXAMPLE.", [("", "a@x.example")]),
        ("nobody", []),
        ("<", []),
        ("*@", []),
    ],
)
def test_recipients_are_read_tolerantly(value: str, found: list[tuple[str, str]]) -> None:
    assert [(one.name, one.address) for one in read_addresses(value.encode())] == found


def test_the_number_of_recipients_is_bounded() -> None:
    assert len(read_addresses(b",".join(b"a%d@x.example" % i for i in range(50)), limit=7)) == 7


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("A@X.Example", "a@x.example"),
        (" a@bücher.example ", "a@xn--bcher-kva.example"),
        ("nothing", "nothing"),
    ],
)
def test_addresses_have_one_form_to_compare(address: str, form: str) -> None:
    assert canonical(address) == form


@pytest.mark.parametrize(
    ("address", "base", "extension"),
    [
        ("support+tAbC@x.example", "support@x.example", "tAbC"),
        ("support+a+b@x.example", "support@x.example", "a+b"),
        ("support+@x.example", "support@x.example", ""),
        ("support@x.example", "support@x.example", None),
        ("+a@x.example", "+a@x.example", None),
        ("no-at+sign", "no-at+sign", None),
        ('"support+a"@x.example', '"support+a"@x.example', None),
    ],
)
def test_the_extension_is_split_off(address: str, base: str, extension: str | None) -> None:
    assert split_extension(address) == (base, extension)


def test_the_extension_does_not_count_when_an_address_is_looked_up() -> None:
    assert without_extension("Support+tAbC@X.Example") == "support@x.example"


@pytest.mark.parametrize(
    "value",
    [
        f'"{AGENT}"@evil.example',
        "agent@[127.0.0.1]",
        "ag\u0435nt@corp.example",
        '"|touch /tmp/x"@corp.example',
    ],
)
def test_who_has_a_name_that_mail_cannot_be_sent_to_is_nobody_else(value: str) -> None:
    address = identity([value.encode()]).address
    assert address is not None
    assert address != AGENT
    assert not mailable(address)
    assert identity([address.encode()]).address == address, "read again it is the same"


def test_an_address_that_mixes_scripts_is_told_of() -> None:
    assert mixes_scripts("ag\u0435nt@corp.example")
    assert not mixes_scripts("j\u00fcrgen@corp.example")
    assert not mixes_scripts("\u7528\u6237@corp.example")
