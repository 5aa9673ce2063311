"""Rules through the real daemon on both databases: reject, hold, forward, tag, Reply-To, webhooks."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.scenario.daemon import Daemon, answer, new_mail
from tests.servers import wait_until
from tests.servers.hooks import HookServer, hook_server

RULES = """
[webhooks.chat]
url = "{url}"
secret = "0123456789abcdef-secret"
timeout = "2s"

[webhooks.boss]
url = "{url}"
secret = "0123456789abcdef-secret"
timeout = "2s"
events = ["closed"]
audience = "internal"

[[rules]]
name = "junk"
when = [{{ field = "subject", how = "starts", value = "buy now" }}]
then = {{ reject = "No advertising." }}

[[rules]]
name = "odd"
when = [{{ field = "attachment_name", how = "ends", value = ".exe" }}]
then = {{ hold = "a program is attached" }}

[[rules]]
name = "partner"
when = [{{ any = [{{ field = "subject", how = "contains", value = "hardware" }}] }}]
then = {{ department = "it", tags = ["hardware"], forward = ["partner@supplier.example"] }}

[[rules]]
name = "form"
when = [{{ field = "sender", how = "equal", value = "form@web.example" }}]
then = {{ reply_to = true }}

[[rules]]
name = "outage"
when = [{{ field = "subject", how = "contains", value = "outage" }}]
then = {{ webhooks = ["chat"], tags = ["outage"] }}

[[rules]]
name = "angry"
on = "reply"
when = [{{ field = "body", how = "contains", value = "lawyer" }}]
then = {{ priority = "emergency", webhooks = ["chat"], tags = ["angry"] }}
"""


@pytest.fixture
def ruled(tmp_path: Path, database_url: str) -> Any:
    """A daemon with rules, and the web service they call."""
    with hook_server() as server:
        daemon = Daemon(tmp_path, database_url)
        daemon.write_configuration()
        text = RULES.format(url=server.url)
        daemon.extra = text
        original = daemon.write_configuration

        def private() -> None:
            original()
            (daemon.config / "mailticket.toml").chmod(0o600)

        daemon.write_configuration = private  # type: ignore[method-assign]  # the secret stands in the file
        with daemon:
            yield daemon, server


def tickets(daemon: Daemon) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = daemon.json("ticket", "list", "--all")
    return found


def test_rules_reject_hold_forward_tag_and_take_reply_to(ruled: tuple[Daemon, HookServer]) -> None:
    daemon, _ = ruled
    daemon.send(new_mail("Buy now", message_id="a@x.example"))
    program = EmailMessage()
    program["From"], program["To"], program["Subject"] = (
        "ann@customer.example",
        "support@desk.example",
        "File",
    )
    program["Message-ID"] = "<b@x.example>"
    program.set_content("See the file.")
    program.add_attachment(b"MZ", maintype="application", subtype="octet-stream", filename="x.EXE")
    daemon.send(program.as_bytes())
    daemon.send(new_mail("New hardware", "Grüße: a laptop, please.", message_id="c@x.example"))
    form = {"sender": "form@web.example", "Reply_To": "Cleo <cleo@home.example>", "message_id": "d@x.example"}
    daemon.send(new_mail("Contact", **form))
    daemon.settle()
    states = {mail["subject"]: mail["state"] for mail in daemon.json("inbox", "list")}
    assert states == {"Buy now": "rejected", "File": "held", "New hardware": "done", "Contact": "done"}
    by_subject = {ticket["subject"]: ticket for ticket in tickets(daemon)}
    assert set(by_subject) == {"New hardware", "Contact"}
    assert by_subject["New hardware"]["department"] == "it"
    shown = daemon.json("ticket", "show", by_subject["New hardware"]["number"])
    assert shown["ticket"]["tags"] == ["hardware"]
    assert any(event["kind"] == "copied" and 'rule "partner"' in event["reason"] for event in shown["events"])
    (copy,) = daemon.wait_to("partner@supplier.example")
    (original,) = [part for part in copy.walk() if part.get_content_type() == "message/rfc822"]
    inner: Any = original.get_payload(0)
    assert inner["Subject"] == "New hardware"
    assert copy["Auto-Submitted"] == "auto-generated"
    assert copy["Reply-To"] is None
    assert by_subject["New hardware"]["number"] not in copy.as_string()
    assert len(daemon.wait_to("cleo@home.example")) == 1
    assert daemon.to("form@web.example") == []
    held = next(mail for mail in daemon.json("inbox", "list") if mail["state"] == "held")
    daemon.command("inbox", "release", str(held["id"]))
    wait_until(lambda: len(tickets(daemon)) == 3, "the released mail to open a ticket")


def test_a_webhook_is_told_once_after_trouble_and_a_crash(
    tmp_path: Path, database_url: str, make_daemon: Callable[..., Daemon]
) -> None:
    with hook_server() as server:
        daemon = make_daemon("desk", database=database_url)
        daemon.extra = RULES.format(url=server.url).replace('"0123456789abcdef-secret"', '{ env = "HOOK" }')
        daemon.environment["HOOK"] = "0123456789abcdef-secret"
        server.script = [500, "drop", 200]
        daemon.start(MAILTICKET_CRASH_AT="webhook.after_claim")
        daemon.send(new_mail("Outage of everything"))
        daemon.wait_killed()
        assert server.received == []
        daemon.later(400)  # the lease of the claim that died has ended
        daemon.start(MAILTICKET_CRASH_AT="webhook.after_send:3")
        daemon.wait_killed(bound=90)
        daemon.later(800)
        daemon.start()
        wait_until(lambda: _states(daemon) == ["sent"], "the call to be recorded", bound=60)
        bodies = {request.body for request in server.received}
        keys = {request.headers["Idempotency-Key"] for request in server.received}
        assert (len(bodies), len(keys)) == (1, 1)
        assert len(server.received) == 4  # 500, no answer, 200 whose record was lost, 200
        body = server.received[0].json
        assert (body["event"], body["ticket"]["subject"]) == ("rule", "Outage of everything")
        assert body["entry"]["text"] == "Please help."
        assert "reason" not in body


def _states(daemon: Daemon) -> list[str]:
    return [call["state"] for call in daemon.json("webhook", "list")]


def test_a_refused_call_is_seen_and_made_again(ruled: tuple[Daemon, HookServer]) -> None:
    daemon, server = ruled
    server.script = [404]
    daemon.send(new_mail("Outage"))
    wait_until(lambda: _states(daemon) == ["failed"], "the call to be refused")
    (call,) = daemon.json("webhook", "list", "--state", "failed")
    assert (call["webhook"], call["answer"]) == ("chat", 404)
    daemon.command("webhook", "retry", str(call["id"]))
    wait_until(lambda: _states(daemon) == ["sent"], "the call to be taken")
    assert daemon.command("webhook", "retry", str(call["id"]), check=False).returncode == 1
    assert daemon.json("webhook", "test", "chat")["taken"] is True
    server.script = [503]
    assert daemon.command("webhook", "test", "chat", check=False).returncode == 75
    assert "Did you mean chat?" in daemon.command("webhook", "test", "chta", check=False).stderr


def test_a_reply_fires_its_rule_and_closing_tells_the_boss(ruled: tuple[Daemon, HookServer]) -> None:
    daemon, server = ruled
    daemon.send(new_mail("Broken screen"))
    (alert, *_) = daemon.wait_to("sam.private@agents.example")
    (ack,) = daemon.wait_to("ann@customer.example")
    daemon.send(answer(ack, "I will call my lawyer.", sender="ann@customer.example"))
    wait_until(lambda: len(server.received) == 1, "the rule to call")
    (ticket,) = tickets(daemon)
    assert ticket["priority"] == "emergency"
    mail = answer(alert, "#close\n", sender="sam.private@agents.example", message_id="close@x.example")
    daemon.send(mail, recipient=str(alert["Reply-To"]).strip("<>").split("<")[-1].rstrip(">"))
    wait_until(lambda: len(server.received) == 2, "the boss to be told")
    told = server.received[1].json
    assert (told["event"], told["actor"]) == ("closed", "agent:sam")


def test_rules_are_tried_listed_and_compared(ruled: tuple[Daemon, HookServer], tmp_path: Path) -> None:
    daemon, _ = ruled
    mail = tmp_path / "mail.eml"
    mail.write_bytes(new_mail("Hardware outage"))
    told = daemon.json("rules", "test", str(mail))
    assert [(one["name"], one["fired"]) for one in told["rules"]] == [
        ("outages", True), ("junk", False), ("odd", False), ("partner", True), ("form", False),
        ("outage", True), ("angry", False),
    ]  # fmt: skip
    assert told["result"]["department"] == "it"
    assert {"name": "department", "value": "it", "by": 'rule "partner"'} in told["settled"]
    text = daemon.command("rules", "test", str(mail), "--recipient", "it@desk.example").stdout
    assert 'subject does not start with "buy now" (it is "Hardware outage")' in " ".join(text.split())
    assert "partner" in daemon.command("rules", "list").stdout
    assert len(daemon.json("rules", "list")) == 7
    daemon.send(mail.read_bytes())
    daemon.settle()
    assert daemon.json("rules", "diff", "--since", "30d")["differing"] == 0
    other = tmp_path / "other"
    other.mkdir()
    changed = (daemon.config / "mailticket.toml").read_text().replace('department = "it", tags', "tags")
    (other / "mailticket.toml").write_text(changed)
    (other / "mailticket.toml").chmod(0o600)
    found = daemon.json("rules", "diff", "--since", "30d", "--config", str(other))
    assert (found["looked_at"], found["differing"]) == (1, 1)
    assert found["mails"][0]["differences"] == {"department": ["it", "support"]}
    assert "department: it -> support" in daemon.command("rules", "diff", "--config", str(other)).stdout
