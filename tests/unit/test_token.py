"""mail/token.py: only what we minted verifies, and only as what it was minted for."""

from __future__ import annotations

import random
import string
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailticket.mail import token as tokens
from mailticket.mail.marker import find_tokens
from mailticket.mail.token import Claims, Role, mint, mint_action, verify, who_of

SECRET = b"a secret of the test suite, 32 b"
ALPHABET = string.ascii_lowercase + "234567"
IDS = st.integers(min_value=0, max_value=2**63 - 1)
ROLES = st.sampled_from([role for role in Role if role is not Role.ACTION])


def an_agents_token() -> str:
    return mint(SECRET, Role.AGENT, 123456, 7890, "agent:ann")


@given(ROLES, IDS, IDS, st.text())
@example(Role.CUSTOMER, 0, 0, "")
@example(Role.BOUNCE, 2**63 - 1, 2**63 - 1, "ann@customer.example")
def test_a_minted_token_says_what_it_was_minted_for(
    role: Role, ticket: int, entry: int, identity: str
) -> None:
    token = mint(SECRET, role, ticket, entry, identity)
    assert verify(SECRET, token) == Claims(role, ticket, entry, who_of(identity))
    assert set(token) <= set(ALPHABET)
    assert len(token) <= 64


@given(ROLES, IDS, IDS, st.text())
def test_case_folding_and_its_opposite_do_not_harm_a_token(
    role: Role, ticket: int, entry: int, identity: str
) -> None:
    token = mint(SECRET, role, ticket, entry, identity)
    assert verify(SECRET, token.upper()) == verify(SECRET, token) is not None


def test_an_ordinary_token_fits_into_a_local_part() -> None:
    token = mint(SECRET, Role.CUSTOMER, 999_999, 40_000_000, "ann@customer.example")
    assert len(token) <= 48
    assert len(f"support+{token}") <= 64


def test_a_hundred_thousand_random_tokens_are_all_refused() -> None:
    rng = random.Random(20_260_101)
    lengths = range(30, 70)
    accepted = [
        token
        for token in ("".join(rng.choices(ALPHABET, k=rng.choice(lengths))) for _ in range(100_000))
        if verify(SECRET, token) is not None
    ]
    assert accepted == []


def test_every_change_of_one_character_is_refused() -> None:
    token = an_agents_token()
    for place, right in enumerate(token):
        for wrong in ALPHABET.replace(right, ""):
            assert verify(SECRET, token[:place] + wrong + token[place + 1 :]) is None


def test_every_flipped_bit_is_refused() -> None:
    raw = tokens._decode(an_agents_token())
    assert raw is not None
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        assert verify(SECRET, tokens._encode(bytes(changed))) is None


def test_every_shortened_or_lengthened_token_is_refused() -> None:
    token = an_agents_token()
    assert all(verify(SECRET, token[:length]) is None for length in range(len(token)))
    assert all(verify(SECRET, token + more) is None for more in ALPHABET)
    assert all(verify(SECRET, more + token) is None for more in ALPHABET)


@pytest.mark.parametrize(
    ("role", "ticket", "entry", "identity"),
    [
        (Role.CUSTOMER, 123456, 7890, "agent:ann"),
        (Role.AGENT, 123457, 7890, "agent:ann"),
        (Role.AGENT, 123456, 7891, "agent:ann"),
        (Role.AGENT, 123456, 7890, "agent:bob"),
        (Role.AGENT, 7890, 123456, "agent:ann"),
    ],
)
def test_the_mac_of_one_token_serves_no_other(role: Role, ticket: int, entry: int, identity: str) -> None:
    ours = tokens._decode(an_agents_token())
    other = tokens._decode(mint(SECRET, role, ticket, entry, identity))
    assert ours is not None
    assert other is not None
    assert verify(SECRET, tokens._encode(other[:-16] + ours[-16:])) is None


def test_numbers_split_otherwise_are_another_token() -> None:
    assert mint(SECRET, Role.AGENT, 1, 128, "x") != mint(SECRET, Role.AGENT, 129, 1, "x")


def test_another_secret_refuses_the_token() -> None:
    assert verify(b"another secret of the test suite", an_agents_token()) is None
    assert verify(b"", an_agents_token()) is None


def test_a_token_of_an_unknown_version_or_role_is_refused() -> None:
    raw = tokens._decode(an_agents_token())
    assert raw is not None
    for first in set(range(256)) - {raw[0]}:
        payload = bytes([first]) + raw[1:-16]
        mac = tokens._mac(SECRET, Role.AGENT, payload)
        assert verify(SECRET, tokens._encode(payload + mac)) is None


def test_a_token_of_another_version_with_a_right_mac_is_refused() -> None:
    raw = tokens._decode(an_agents_token())
    assert raw is not None
    payload = bytes([2 << 4 | Role.AGENT]) + raw[1:-16]
    assert verify(SECRET, tokens._encode(payload + tokens._mac(SECRET, Role.AGENT, payload))) is None


@given(st.text())
@example("\udc80" * 44)
@example("ſ" * 44)
@example("K" * 44)
@example("1" * 44)
def test_any_text_is_refused_without_an_exception(text: str) -> None:
    assert verify(SECRET, text) is None
    tokens.token_of_address(text)
    tokens.token_of_message_id(text)


@pytest.mark.parametrize("number", [-1, 2**63])
def test_an_id_out_of_range_is_not_minted(number: int) -> None:
    with pytest.raises(ValueError):
        mint(SECRET, Role.AGENT, number, 1, "agent:ann")
    with pytest.raises(ValueError):
        mint(SECRET, Role.AGENT, 1, number, "agent:ann")


def test_an_empty_secret_mints_nothing() -> None:
    with pytest.raises(ValueError):
        mint(b"", Role.AGENT, 1, 1, "agent:ann")


@pytest.mark.parametrize(
    "written",
    [
        "support+{t}@desk.example",
        "SUPPORT+{T}@DESK.EXAMPLE",
        "<support+{t}@desk.example>",
        "a+b+{t}@d.example",
    ],
)
def test_a_token_is_found_in_the_reply_address(written: str) -> None:
    token = an_agents_token()
    assert tokens.token_of_address(written.format(t=token, T=token.upper())) == token


@pytest.mark.parametrize("wrapped", ["prvs=0123456789={}", "SRS0=HHH=TT=desk.example={}"])
def test_a_token_is_found_in_an_address_wrapped_on_its_way(wrapped: str) -> None:
    address = tokens.reply_address("support@desk.example", an_agents_token())
    assert tokens.token_of_address(wrapped.format(address)) == an_agents_token()


def test_the_reply_address_is_the_address_with_an_extension() -> None:
    assert tokens.reply_address("support@desk.example", "abc") == "support+abc@desk.example"


@pytest.mark.parametrize("address", ["support", "@desk.example", "support@", "", f"{'a' * 40}@desk.example"])
def test_an_address_that_cannot_carry_a_token_raises(address: str) -> None:
    with pytest.raises(ValueError):
        tokens.reply_address(address, an_agents_token())


@pytest.mark.parametrize("address", ["support@desk.example", "support+sales@desk.example", "", "+", "@"])
def test_an_address_without_a_token_has_none(address: str) -> None:
    assert tokens.token_of_address(address) is None


def test_a_message_id_carries_its_token() -> None:
    token = an_agents_token()
    made = tokens.message_id(token, "0a9z", "desk.example")
    assert made == f"mt.{token}.0a9z@desk.example"
    assert tokens.token_of_message_id(made) == token
    assert tokens.token_of_message_id(f" <{made.upper()}> ") == token


@pytest.mark.parametrize("serial", ["", "A", "a.b", "a-b", "a\n", "ä"])
def test_a_serial_outside_its_alphabet_raises(serial: str) -> None:
    with pytest.raises(ValueError):
        tokens.message_id(an_agents_token(), serial, "desk.example")


@pytest.mark.parametrize(
    "shape", ["{}@d.example", "mt.{}@d.example", "mt.{}.a", "mt.{}.A-B@d.example", "mt..a@d"]
)
def test_a_message_id_of_another_shape_has_no_token(shape: str) -> None:
    assert tokens.token_of_message_id(shape.format(an_agents_token())) is None


def test_a_body_marker_is_found_again_by_the_reader_of_markers() -> None:
    token = an_agents_token()
    assert find_tokens(f"> > {tokens.body_marker(token)}") == (token,)


@given(st.binary(max_size=80))
@settings(max_examples=300)
def test_random_bytes_spelled_as_a_token_are_refused(raw: bytes) -> None:
    assert verify(SECRET, tokens._encode(raw)) is None


@given(IDS, IDS, st.integers(0, 2**32 - 1), st.dates(date(2026, 1, 1), date(2205, 6, 5)), st.text())
@example(0, 0, 0, date(2026, 1, 1), "")
@example(2**63 - 1, 2**63 - 1, 2**32 - 1, date(2205, 6, 5), "agent:ann")
def test_a_token_of_an_action_says_which_and_since_when(
    ticket: int, entry: int, action: int, offered: date, identity: str
) -> None:
    token = mint_action(SECRET, ticket, entry, identity, action=action, offered=offered)
    assert verify(SECRET, token) == Claims(Role.ACTION, ticket, entry, who_of(identity), action, offered)
    assert tokens.token_of_address(f"support+{token}@desk.example") == token
    assert find_tokens(f"text\n[mt:{token}]\n") == (token,)


def test_an_action_on_an_ordinary_ticket_fits_into_a_local_part() -> None:
    token = mint_action(SECRET, 999_999, 0, "agent:ann", action=9, offered=date(2026, 11, 21))
    assert len(token) <= 47


def test_a_token_of_an_action_is_not_minted_without_one() -> None:
    with pytest.raises(ValueError):
        mint(SECRET, Role.ACTION, 1, 1, "agent:ann")


@pytest.mark.parametrize(
    ("action", "offered"), [(2**32, date(2026, 1, 1)), (-1, date(2026, 1, 1)), (1, date(2025, 12, 31))]
)
def test_an_action_out_of_range_is_not_minted(action: int, offered: date) -> None:
    with pytest.raises(ValueError):
        mint_action(SECRET, 1, 1, "agent:ann", action=action, offered=offered)


def test_no_other_action_day_or_person_shares_a_mac() -> None:
    def signed(action: int, offered: date, who: str) -> str:
        return mint_action(SECRET, 1, 0, who, action=action, offered=offered)

    day = date(2026, 11, 21)
    ours = tokens._decode(signed(1, day, "agent:ann"))
    assert ours is not None
    for other in (
        signed(2, day, "agent:ann"),
        signed(1, date(2026, 11, 22), "agent:ann"),
        signed(1, day, "x"),
    ):
        raw = tokens._decode(other)
        assert raw is not None
        assert verify(SECRET, tokens._encode(raw[:-16] + ours[-16:])) is None
