"""Sending through a smarthost that behaves, refuses, dawdles, hangs up and talks nonsense."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mailticket.config.settings import Smarthost
from mailticket.delivery.outcome import Deferred, Delivered, Failed, Stage
from mailticket.delivery.smarthost import IDLE_SECONDS, SmarthostConnection, check_smarthost
from mailticket.errors import Temporary
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.sink import Act, SmtpSink, accept_then_drop, drop, garbage, reply, slow

SENDER = "support@desk.example"
RECIPIENT = "erika@customer.example"
RAW = b"Message-ID: <1@desk.example>\r\nSubject: hello\r\n\r\nfirst line\r\n"


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        yield server


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("ca"))


def smarthost_of(sink: SmtpSink, **more: Any) -> Smarthost:
    return Smarthost(**{"host": "127.0.0.1", "port": sink.port, "security": "none"} | more)


@pytest.fixture
def connect() -> Iterator[Callable[..., SmarthostConnection]]:
    opened: list[SmarthostConnection] = []

    def opener(sink: SmtpSink, clock: Callable[[], float] = lambda: 0.0, **more: Any) -> SmarthostConnection:
        opened.append(SmarthostConnection(smarthost_of(sink, **more), clock=clock))
        return opened[-1]

    yield opener
    for connection in opened:
        connection.close()


Connect = Callable[..., SmarthostConnection]


def test_an_accepted_mail_is_delivered_with_the_answer_of_the_server(
    sink: SmtpSink, connect: Connect
) -> None:
    assert connect(sink).send(SENDER, RECIPIENT, RAW) == Delivered("250 2.0.0 kept")
    (mail,) = sink.received
    assert (mail.mail_from, mail.rcpt_tos, mail.data) == (SENDER, (RECIPIENT,), RAW)


def test_the_null_sender_goes_out_as_empty_brackets(sink: SmtpSink, connect: Connect) -> None:
    assert isinstance(connect(sink).send("", RECIPIENT, RAW), Delivered)
    assert sink.received[0].mail_from == ""


@pytest.mark.parametrize(
    "body",
    [
        b".\r\n",
        b"..\r\n",
        b".a\r\nb\r\n.\r\n.\r\n",
        b"a.b\r\n.\r\nQUIT\r\n",
        b"no line end at the end is not added to",
        bytes(range(128, 256)) + b"\r\n",
        b"x" * 5000,
    ],
)
def test_bytes_arrive_exactly_as_stored(sink: SmtpSink, connect: Connect, body: bytes) -> None:
    raw = b"Subject: dots\r\n\r\n" + body
    if len(body) >= 5000:
        raw = b"Subject: size\r\n\r\n" + b"\r\n".join([b"x" * 900] * 5)
    assert isinstance(connect(sink).send(SENDER, RECIPIENT, raw), Delivered)
    assert sink.received[0].data.removesuffix(b"\r\n") == raw.removesuffix(b"\r\n")


def test_a_mail_that_starts_with_a_dot_arrives_whole(sink: SmtpSink, connect: Connect) -> None:
    assert isinstance(connect(sink).send(SENDER, RECIPIENT, b".\r\n\r\n.\r\n"), Delivered)
    assert sink.received[0].data == b".\r\n\r\n.\r\n"


@pytest.mark.parametrize("raw", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\n\n.\n", b"a\r\r\n", b"\n", b"a\r"])
def test_a_bare_cr_or_lf_never_reaches_the_wire(sink: SmtpSink, connect: Connect, raw: bytes) -> None:
    outcome = connect(sink).send(SENDER, RECIPIENT, raw)
    assert isinstance(outcome, Failed)
    assert outcome.stage is Stage.CHECK
    assert sink.connections == 0


@pytest.mark.parametrize(
    "address",
    [
        "",
        "erika",
        "erika@",
        "@customer.example",
        "erika@customer.example\r\nRCPT TO:<b@c.example>",
        "a\r\nb@customer.example",
        "a\0b@customer.example",
        "a b@customer.example",
        "a>b@customer.example",
        "<erika@customer.example>",
        "erika@customer.example> SIZE=1",
        "erika@cust omer.example",
        "Erika <erika@customer.example>",
        "x" * 65 + "@customer.example",
        "erika@" + "d" * 300,
    ],
)
def test_an_address_that_is_not_plain_is_refused_before_any_connection(
    sink: SmtpSink, connect: Connect, address: str
) -> None:
    outcome = connect(sink).send(SENDER, address, RAW)
    assert isinstance(outcome, Failed)
    assert outcome.stage is Stage.CHECK
    if address:
        assert isinstance(connect(sink).send(address, RECIPIENT, RAW), Failed)
    assert sink.connections == 0


UNKNOWN = {"outcome_unknown": True}
VERDICTS: list[tuple[str, Act, type, dict[str, Any]]] = [
    ("connect", reply("554 5.3.2 no service here"), Deferred, {"scope": "server", "stage": Stage.CONNECT}),
    ("connect", reply("421 busy"), Deferred, {"scope": "server", "stage": Stage.CONNECT}),
    ("connect", drop(), Deferred, {"scope": "server", "stage": Stage.CONNECT}),
    ("connect", garbage(), Deferred, {"scope": "server", "stage": Stage.CONNECT}),
    ("ehlo", reply("550 who are you"), Deferred, {"scope": "server", "stage": Stage.EHLO}),
    ("ehlo", reply("451 later"), Deferred, {"scope": "server", "stage": Stage.EHLO}),
    ("ehlo", drop(), Deferred, {"scope": "server", "stage": Stage.EHLO}),
    ("mail", reply("550 5.7.1 sender refused"), Deferred, {"scope": "server", "stage": Stage.MAIL}),
    ("mail", reply("530 5.7.0 sign in"), Deferred, {"scope": "server", "stage": Stage.MAIL}),
    ("mail", reply("452 4.3.1 full"), Deferred, {"scope": "server", "stage": Stage.MAIL}),
    ("mail", reply("421 4.3.2 going down"), Deferred, {"scope": "server", "stage": Stage.MAIL}),
    ("mail", reply("552 5.3.4 too big"), Failed, {"stage": Stage.MAIL}),
    ("mail", reply("550 5.3.4 too big"), Failed, {"stage": Stage.MAIL}),
    ("mail", drop(), Deferred, {"scope": "server", "stage": Stage.MAIL} | {"outcome_unknown": False}),
    ("rcpt", reply("550 5.1.1 no such user"), Failed, {"stage": Stage.RCPT}),
    ("rcpt", reply("450 4.2.0 greylisted"), Deferred, {"scope": "recipient", "stage": Stage.RCPT}),
    ("rcpt", reply("421 4.7.0 too many"), Deferred, {"scope": "server", "stage": Stage.RCPT}),
    ("rcpt", reply("530 5.7.0 sign in"), Deferred, {"scope": "server", "stage": Stage.RCPT}),
    ("rcpt", reply("354 what"), Deferred, {"scope": "server", "stage": Stage.RCPT}),
    ("rcpt", drop(), Deferred, {"scope": "server", "stage": Stage.RCPT, "outcome_unknown": False}),
    ("data", reply("554 no valid recipients"), Failed, {"stage": Stage.DATA}),
    ("data", reply("451 later"), Deferred, {"scope": "recipient", "stage": Stage.DATA}),
    ("data", reply("250 odd"), Deferred, {"scope": "server", "stage": Stage.DATA, "outcome_unknown": False}),
    ("data", drop(), Deferred, {"stage": Stage.DATA, "outcome_unknown": False}),
    ("dot", reply("554 5.7.1 spam"), Failed, {"stage": Stage.DOT}),
    ("dot", reply("451 4.3.0 later"), Deferred, {"scope": "recipient", "outcome_unknown": False}),
    ("dot", reply("421 4.3.0 bye"), Deferred, {"scope": "server", "outcome_unknown": False}),
    ("dot", drop(), Deferred, {"scope": "recipient", "stage": Stage.DOT} | UNKNOWN),
    ("dot", accept_then_drop(), Deferred, {"scope": "recipient", "stage": Stage.DOT} | UNKNOWN),
    ("dot", reply("garbage"), Deferred, {"stage": Stage.DOT} | UNKNOWN),
    ("dot", reply("999 odd"), Deferred, {"stage": Stage.DOT} | UNKNOWN),
    ("dot", reply("250 " + "x" * 9000), Deferred, {"stage": Stage.DOT} | UNKNOWN),
    ("rcpt", reply("250 " + "x" * 9000), Deferred, {"stage": Stage.RCPT, "outcome_unknown": False}),
]


@pytest.mark.parametrize(
    ("stage", "act", "kind", "fields"),
    VERDICTS,
    ids=[f"{row[0]}-{(row[1].answer or b'drop')[:14].decode('latin-1').strip()}" for row in VERDICTS],
)
def test_a_failure_means_what_its_stage_and_code_say(
    sink: SmtpSink, connect: Connect, stage: Any, act: Act, kind: type, fields: dict[str, Any]
) -> None:
    connection = connect(sink)
    sink.script(stage, act, times=1)
    outcome = connection.send(SENDER, RECIPIENT, RAW)
    assert type(outcome) is kind
    assert {name: getattr(outcome, name) for name in fields} == fields
    assert len(outcome.response) <= 520
    assert outcome.response.isprintable()
    assert isinstance(connection.send(SENDER, RECIPIENT, RAW), Delivered), "the next mail goes through"


def test_silence_after_the_dot_leaves_the_outcome_unknown(sink: SmtpSink, connect: Connect) -> None:
    sink.script("dot", slow(1.5), times=1)
    outcome = connect(sink, read_timeout=timedelta(seconds=0.3)).send(SENDER, RECIPIENT, RAW)
    assert isinstance(outcome, Deferred)
    assert (outcome.stage, outcome.outcome_unknown) == (Stage.DOT, True)


def test_silence_before_the_dot_is_a_plain_delay(sink: SmtpSink, connect: Connect) -> None:
    sink.script("rcpt", slow(1.5), times=1)
    outcome = connect(sink, read_timeout=timedelta(seconds=0.3)).send(SENDER, RECIPIENT, RAW)
    assert isinstance(outcome, Deferred)
    assert (outcome.stage, outcome.outcome_unknown) == (Stage.RCPT, False)


def test_a_silent_greeting_ends_at_the_connect_time_out(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        sink = SmtpSink(port=mute.getsockname()[1])
        outcome = connect(sink, connect_timeout=timedelta(seconds=0.2)).send(SENDER, RECIPIENT, RAW)
    assert isinstance(outcome, Deferred)
    assert (outcome.stage, outcome.scope) == (Stage.CONNECT, "server")


def test_a_server_that_is_away_defers_the_queue(sink: SmtpSink, connect: Connect) -> None:
    connection = connect(sink)
    sink.stop()
    outcome = connection.send(SENDER, RECIPIENT, RAW)
    assert isinstance(outcome, Deferred)
    assert (outcome.stage, outcome.scope) == (Stage.CONNECT, "server")
    sink.start()
    assert isinstance(connection.send(SENDER, RECIPIENT, RAW), Delivered)


def test_a_host_name_that_cannot_be_looked_up_defers_the_queue(connect: Connect) -> None:
    outcome = connect(SmtpSink(port=25), host="a..b").send(SENDER, RECIPIENT, RAW)
    assert isinstance(outcome, Deferred)
    assert outcome.stage is Stage.CONNECT


def test_one_connection_serves_many_mails(sink: SmtpSink, connect: Connect) -> None:
    connection = connect(sink)
    for _ in range(5):
        assert isinstance(connection.send(SENDER, RECIPIENT, RAW), Delivered)
    assert sink.connections == 1


def test_a_refused_recipient_does_not_cost_the_connection(sink: SmtpSink, connect: Connect) -> None:
    sink.script("rcpt", reply("550 5.1.1 no such user"), when=lambda argument: "bob@" in argument)
    connection = connect(sink)
    assert isinstance(connection.send(SENDER, "bob@customer.example", RAW), Failed)
    assert isinstance(connection.send(SENDER, RECIPIENT, RAW), Delivered)
    assert sink.connections == 1
    assert [mail.rcpt_tos for mail in sink.received] == [(RECIPIENT,)]


def test_a_connection_is_replaced_after_its_number_of_mails(sink: SmtpSink, connect: Connect) -> None:
    connection = connect(sink, max_mails_per_connection=2)
    for _ in range(5):
        assert isinstance(connection.send(SENDER, RECIPIENT, RAW), Delivered)
    assert [mail.connection for mail in sink.received] == [1, 1, 2, 2, 3]


def test_a_connection_that_idled_too_long_is_replaced(sink: SmtpSink, connect: Connect) -> None:
    now = [0.0]
    connection = connect(sink, clock=lambda: now[0])
    for moment in (0.0, IDLE_SECONDS, 2 * IDLE_SECONDS + 1):
        now[0] = moment
        assert isinstance(connection.send(SENDER, RECIPIENT, RAW), Delivered)
    assert [mail.connection for mail in sink.received] == [1, 1, 2]


@pytest.mark.parametrize("farewell", [drop(), reply("421 4.4.2 idle too long")])
def test_a_kept_connection_that_died_is_replaced_without_a_delay(
    sink: SmtpSink, connect: Connect, farewell: Act
) -> None:
    connection = connect(sink)
    assert isinstance(connection.send(SENDER, RECIPIENT, RAW), Delivered)
    sink.script("mail", farewell, times=1)
    assert isinstance(connection.send(SENDER, RECIPIENT, RAW), Delivered)
    assert len(sink.received) == 2
    assert sink.connections == 2


def test_a_server_that_restarted_between_two_mails_goes_unnoticed(sink: SmtpSink, connect: Connect) -> None:
    connection = connect(sink)
    assert isinstance(connection.send(SENDER, RECIPIENT, RAW), Delivered)
    sink.stop()
    sink.start()
    assert isinstance(connection.send(SENDER, RECIPIENT, RAW), Delivered)


def test_nothing_is_repeated_after_the_dot(sink: SmtpSink, connect: Connect) -> None:
    connection = connect(sink)
    assert isinstance(connection.send(SENDER, RECIPIENT, RAW), Delivered)
    sink.script("dot", accept_then_drop(), times=1)
    assert isinstance(connection.send(SENDER, RECIPIENT, RAW), Deferred)
    assert len(sink.received) == 2


def test_a_mail_over_the_announced_size_is_not_even_tried(connect: Connect) -> None:
    with SmtpSink(max_size=1000) as sink:
        outcome = connect(sink).send(SENDER, RECIPIENT, RAW + b"x" * 1000 + b"\r\n")
        assert isinstance(outcome, Failed)
        assert "1000" in outcome.response
        assert isinstance(connect(sink).send(SENDER, RECIPIENT, RAW), Delivered)


def test_starttls_is_used_and_the_certificate_verified(connect: Connect, certificates: Certificates) -> None:
    with SmtpSink(certificates=certificates, accounts={"desk": "s3cret"}) as sink:
        connection = connect(
            sink, security="starttls", ca_file=certificates.ca_file, user="desk", password=SecretStr("s3cret")
        )
        assert isinstance(connection.send(SENDER, RECIPIENT, RAW), Delivered)
        assert (sink.received[0].tls, sink.received[0].auth_user) == (True, "desk")


def test_tls_from_the_first_byte_is_verified_too(connect: Connect, certificates: Certificates) -> None:
    with SmtpSink(certificates=certificates, implicit_tls=True) as sink:
        trusting = connect(sink, security="tls", ca_file=certificates.ca_file)
        assert isinstance(trusting.send(SENDER, RECIPIENT, RAW), Delivered)
        assert sink.received[0].tls


@pytest.mark.parametrize(("security", "stage"), [("tls", Stage.CONNECT), ("starttls", Stage.STARTTLS)])
def test_a_certificate_nobody_vouches_for_is_refused(
    connect: Connect, certificates: Certificates, security: str, stage: Stage
) -> None:
    with SmtpSink(certificates=certificates, implicit_tls=security == "tls") as sink:
        outcome = connect(sink, security=security).send(SENDER, RECIPIENT, RAW)
        assert isinstance(outcome, Deferred)
        assert (outcome.scope, outcome.stage) == ("server", stage)
        assert "certificate" in outcome.response.lower()
        assert sink.received == []


def test_a_certificate_for_another_name_is_refused(connect: Connect, certificates: Certificates) -> None:
    with SmtpSink(certificates=certificates, host="127.0.0.2") as sink:
        settings = {"host": "127.0.0.2", "security": "starttls", "ca_file": certificates.ca_file}
        outcome = connect(sink, **settings).send(SENDER, RECIPIENT, RAW)
        assert isinstance(outcome, Deferred)
        assert outcome.stage is Stage.STARTTLS


def test_a_server_without_starttls_gets_nothing_when_it_is_required(sink: SmtpSink, connect: Connect) -> None:
    outcome = connect(sink, security="starttls", user="desk", password=SecretStr("s3cret")).send(
        SENDER, RECIPIENT, RAW
    )
    assert isinstance(outcome, Deferred)
    assert (outcome.scope, outcome.stage) == ("server", Stage.STARTTLS)
    assert "STARTTLS" in outcome.response
    assert sink.received == []


def test_a_refused_sign_in_pauses_the_queue_and_tells_no_password(connect: Connect) -> None:
    with SmtpSink(accounts={"desk": "s3cret"}) as sink:
        outcome = connect(sink, user="desk", password=SecretStr("wr0ng-one")).send(SENDER, RECIPIENT, RAW)
    assert isinstance(outcome, Deferred)
    assert (outcome.scope, outcome.stage) == ("server", Stage.AUTH)
    assert "wr0ng-one" not in outcome.response


@pytest.mark.parametrize("password", ["pässword", "s3cret"])
def test_a_sign_in_that_cannot_be_made_pauses_the_queue(
    sink: SmtpSink, connect: Connect, password: str
) -> None:
    outcome = connect(sink, user="desk", password=SecretStr(password)).send(SENDER, RECIPIENT, RAW)
    assert isinstance(outcome, Deferred)
    assert (outcome.scope, outcome.stage) == ("server", Stage.AUTH)
    assert password not in outcome.response


def test_a_missing_ca_file_defers_instead_of_trusting_anybody(
    connect: Connect, certificates: Certificates, tmp_path: Path
) -> None:
    with SmtpSink(certificates=certificates) as sink:
        outcome = connect(sink, security="starttls", ca_file=tmp_path / "none.pem").send(
            SENDER, RECIPIENT, RAW
        )
    assert isinstance(outcome, Deferred)
    assert outcome.stage is Stage.STARTTLS


def test_the_configured_name_is_said_in_ehlo(sink: SmtpSink, connect: Connect) -> None:
    said: list[str] = []

    def listen(argument: str) -> bool:
        said.append(argument)
        return False

    sink.script("ehlo", reply("451 later"), when=listen)
    connect(sink, ehlo_name="desk.example").send(SENDER, RECIPIENT, RAW)
    connect(sink).send(SENDER, RECIPIENT, RAW)
    assert said[0] == "desk.example"
    assert "." in said[1]


def test_check_tells_what_worked(certificates: Certificates) -> None:
    with SmtpSink(certificates=certificates, accounts={"desk": "s3cret"}) as sink:
        told = check_smarthost(
            smarthost_of(
                sink,
                security="starttls",
                ca_file=certificates.ca_file,
                user="desk",
                password=SecretStr("s3cret"),
            )
        )
    assert "TLSv1" in told
    assert "signed in as desk" in told


def test_check_tells_where_it_failed(sink: SmtpSink) -> None:
    with pytest.raises(Temporary, match="starttls: the server does not offer STARTTLS"):
        check_smarthost(smarthost_of(sink, security="starttls"))
    assert "no TLS, no sign-in" in check_smarthost(smarthost_of(sink))
