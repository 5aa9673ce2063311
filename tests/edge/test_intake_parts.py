"""The parts of the intake that need no socket: paths, limits, the end of a message."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailticket.config.settings import Listener
from mailticket.errors import Temporary
from mailticket.intake.data import END, Collector, Verdict, receive
from mailticket.intake.limits import MAX_WINDOWS, Limits, client_key
from mailticket.intake.path import is_plain_recipient, split_path
from mailticket.intake.reason import MAX_LENGTH, reason


@pytest.mark.parametrize(
    ("argument", "split"),
    [
        ("<a@b.example>", ("a@b.example", "")),
        ("<a@b.example> SIZE=5 BODY=8BITMIME", ("a@b.example", "SIZE=5 BODY=8BITMIME")),
        (" <a@b.example> ", ("a@b.example", "")),
        ("<>", ("<>", "")),
        ("<> SIZE=5", ("<>", "SIZE=5")),
        ("a@b.example SIZE=5", ("a@b.example", "SIZE=5")),
        ('<"odd > one"@b.example>', ('"odd > one"@b.example', "")),
        ('<"a\\"b>"@b.example>', ('"a\\"b>"@b.example', "")),
        ("<@relay.example:a@b.example>", ("@relay.example:a@b.example", "")),
        ("<jörg@käse.example>", ("jörg@käse.example", "")),
        ("<a@b.example", None),
        ("<a@b.example>SIZE=5", None),
        ("<<a@b.example>>", None),
        ("a@b.example>", None),
        ('<"a@b.example>', None),
        ("", None),
        ("<a\tb@c.example>", None),
        ("<a\x7f@c.example>", None),
        ("<a\udcff@c.example>", None),
        ("<" + "a" * 513 + ">", None),
    ],
)
def test_paths_are_read_by_the_grammar(argument: str, split: tuple[str, str] | None) -> None:
    assert split_path(argument) == split


@given(st.text(max_size=600))
def test_no_path_raises_or_smuggles_a_control_character(argument: str) -> None:
    split = split_path(argument)
    if split is not None:
        address, parameters = split
        assert address
        assert not any(char < " " or char == "\x7f" for char in address + parameters)


@given(st.text(alphabet='ab@%!."\\<>()[]:;, +', max_size=30))
def test_a_plain_recipient_holds_nothing_that_routes(address: str) -> None:
    if is_plain_recipient(address):
        assert address.count("@") == 1
        assert not set(address) & set('%!"\\<>()[]:;, ')


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("/run/socket", "/run/socket"),
    ],
)
def test_a_client_is_an_address_or_an_ipv6_network(address: str, key: str) -> None:
    assert client_key(address) == key


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_messages_are_counted_per_client_and_minute() -> None:
    clock = Clock()
    limits = Limits(Listener(max_messages_per_minute=2), clock)
    assert [limits.take_message("one") for _ in range(3)] == [True, True, False]
    assert limits.take_message("two")
    clock.now += 59.9
    assert not limits.take_message("one")
    clock.now += 0.1
    assert limits.take_message("one")


def test_clients_of_past_minutes_are_forgotten() -> None:
    clock = Clock()
    limits = Limits(Listener(), clock)
    for number in range(MAX_WINDOWS):
        limits.take_message(str(number))
    clock.now += 60
    limits.take_message("late")
    assert len(limits._windows) == 1


def test_connections_are_counted_in_and_out() -> None:
    limits = Limits(Listener(max_connections=3, max_connections_per_client=2), Clock())
    assert [limits.admit(client) for client in ("one", "one", "one", "two", "three")] == [
        True, True, False, True, False,
    ]  # fmt: skip
    limits.leave("one")
    assert limits.connections == 2
    assert limits.admit("three")


def test_a_reservation_is_given_back_once() -> None:
    limits = Limits(Listener(max_in_flight=1_000_000), Clock())
    first, second = limits.reservation(), limits.reservation()
    assert first.grow(600_000)
    assert not second.grow(600_000)
    assert limits.in_flight == 600_000
    first.release()
    first.release()
    assert limits.in_flight == 0
    assert second.grow(1_000_000)


def read(stream: bytes, cuts: list[int], max_size: int = 1_000_000) -> tuple[bytes | None, bytes, Verdict]:
    """What `receive` makes of a stream that arrives in pieces, and what it leaves unread."""

    async def run() -> tuple[bytes | None, bytes, Verdict]:
        reader = asyncio.StreamReader(limit=64)
        limits = Limits(Listener(), Clock())
        collector = Collector(max_size, limits.reservation())
        edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]

        async def feed() -> None:
            for start, end in itertools.pairwise(edges):
                reader.feed_data(stream[start:end])
                await asyncio.sleep(0)
            reader.feed_eof()

        feeding = asyncio.create_task(feed())
        await receive(reader, collector)
        await feeding
        return collector.content(), await reader.read(), collector.verdict

    return asyncio.run(run())


@given(
    st.text(alphabet="\r\n.x", max_size=200).map(str.encode),
    st.lists(st.integers(min_value=0, max_value=250), max_size=10),
    st.binary(max_size=20),
)
def test_the_message_ends_at_the_first_line_with_a_lone_dot(
    body: bytes, cuts: list[int], rest: bytes
) -> None:
    stream = body + END + rest
    content, unread, verdict = read(stream, cuts)
    end = (b"\r\n" + stream).index(END)
    expected = (b"\r\n" + stream)[: end + 2].replace(b"\r\n.", b"\r\n")[2:]
    assert (content, verdict) == (expected, Verdict.COMPLETE)
    assert unread == (b"\r\n" + stream)[end + len(END) :]


def test_a_stream_without_end_is_an_incomplete_read() -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        read(b"Subject: x\r\n\r\nno end", [])


@pytest.mark.parametrize(("size", "verdict"), [(300, Verdict.COMPLETE), (301, Verdict.TOO_LARGE)])
def test_the_limit_counts_the_message_and_not_its_stuffing(size: int, verdict: Verdict) -> None:
    message = b".\r\n" * 50 + b"x" * (size - 152) + b"\r\n"
    stuffed = (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:]
    assert read(stuffed + END[2:], [], max_size=300)[2] is verdict


def broken() -> None:
    raise ValueError("somebody's mail")


def test_the_reason_of_an_unexpected_error_names_the_place_and_quotes_nothing() -> None:
    with pytest.raises(ValueError) as caught:
        broken()
    assert reason(caught.value).startswith("ValueError at test_intake_parts.py:")
    assert "mail" not in reason(caught.value)


def test_the_reason_of_an_error_of_ours_is_its_text_on_one_bounded_line() -> None:
    assert reason(Temporary("disk\r\nfull \x1b[31m")) == "disk  full  [31m"
    assert len(reason(Temporary("x" * 10_000))) == MAX_LENGTH
    assert reason(ValueError("x")) == "ValueError"
    assert reason(ConnectionRefusedError(111, "Connection refused")).endswith("Connection refused")
