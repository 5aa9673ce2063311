"""SIGHUP and site templates: what an operator changes takes effect, what is wrong changes nothing."""

from __future__ import annotations

import signal
import smtplib
from collections.abc import Callable

from tests.scenario.daemon import Daemon, new_mail, text_of
from tests.servers import wait_until

BILLING = """
[departments.billing]
name = "Billing"
addresses = ["billing@desk.example"]
members = ["sue"]
"""

OWN_TEMPLATE = """Subject: We have it, {{ ticket.number }}

Dear {{ recipient.name }}, this is the site's own acknowledgement.
"""


def accepts(daemon: Daemon, recipient: str) -> bool:
    """The daemon takes mail for that address now."""
    with smtplib.SMTP("127.0.0.1", daemon.smtp_port, timeout=30) as server:
        server.ehlo()
        server.mail("ann@customer.example")
        return server.rcpt(recipient)[0] == 250


def reload(daemon: Daemon, extra: str, event: str) -> None:
    """Write the configuration with `extra` at its end, send SIGHUP, wait for what the log must say."""
    before = daemon.log().count(event)
    daemon.extra = extra
    daemon.write_configuration()
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: daemon.log().count(event) > before, f"the log says {event}")


def test_sighup_takes_a_good_configuration_and_keeps_the_old_one_over_a_bad_one(
    make_daemon: Callable[..., Daemon],
) -> None:
    daemon = make_daemon()
    daemon.start()
    assert not accepts(daemon, "billing@desk.example")
    for wrong, told in [
        ("[departments.billing\n", "mailticket.toml"),
        (BILLING.replace("members", "membres"), "membres"),
        (BILLING.replace('"sue"', '"nobody"'), "nobody"),
        (BILLING.replace('["sue"]', "7"), "departments.billing.members"),
    ]:
        reload(daemon, wrong, "configuration.kept")
        line = [line for line in daemon.log().splitlines() if "configuration.kept" in line][-1]
        assert "mailticket.toml" in line
        assert told in line
        assert not accepts(daemon, "billing@desk.example")
        assert accepts(daemon, "support@desk.example")
        assert daemon.command("check", "--offline", check=False).returncode == 78
    reload(daemon, BILLING, "configuration.reloaded")
    assert accepts(daemon, "billing@desk.example")
    daemon.send(new_mail("An invoice", to="billing@desk.example"), "billing@desk.example")
    (acknowledgement,) = daemon.wait_to("ann@customer.example")
    assert "billing@desk.example" in str(acknowledgement["From"])
    daemon.wait_to("sue.private@agents.example")
    assert daemon.to("sam.private@agents.example") == []
    reload(daemon, "", "configuration.reloaded")
    assert not accepts(daemon, "billing@desk.example")
    daemon.settle()
    assert daemon.json("ticket", "list")[0]["department"] == "billing", "history is not rewritten"


def test_what_needs_a_restart_is_named_and_left_as_it_was(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon()
    daemon.start()
    old_port, daemon.smtp_port = daemon.smtp_port, daemon.lmtp_port
    daemon.lmtp_port = old_port
    reload(daemon, "", "configuration.needs_restart")
    assert "listeners" in [line for line in daemon.log().splitlines() if "needs_restart" in line][-1]
    daemon.smtp_port, daemon.lmtp_port = old_port, daemon.smtp_port
    assert accepts(daemon, "support@desk.example")


def test_a_broken_template_parks_its_mail_and_no_ticket(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon()
    folder = daemon.folder / "templates" / "en"
    folder.mkdir(parents=True)
    template = folder / "ticket.autoresp.md"
    template.write_text(OWN_TEMPLATE.replace("recipient.name", "recipient.nmae"), encoding="utf-8")
    (daemon.config / "site.toml").write_text(
        f'[service]\ntemplates = "{daemon.folder / "templates"}"\n', encoding="utf-8"
    )
    daemon.start()
    daemon.send(new_mail())
    daemon.wait_to("sam.private@agents.example")
    wait_until(lambda: "outbox.parked" in daemon.log(), "the acknowledgement is parked")
    daemon.settle()
    assert len(daemon.json("ticket", "list")) == 1
    (parked,) = daemon.json("outbox", "list", "--state", "parked")
    assert "ticket.autoresp.md" in parked["error"]
    assert "nmae" in parked["error"]
    assert daemon.to("ann@customer.example") == []
    assert "1 parked outgoing mail (outbox list --state parked)" in daemon.json("status")["attention"]
    assert daemon.command("check", "--offline", check=False).returncode == 1
    template.write_text(OWN_TEMPLATE, encoding="utf-8")
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: "configuration.reloaded" in daemon.log(), "the daemon has read the template")
    daemon.command("outbox", "retry", str(parked["id"]))
    (sent,) = daemon.wait_to("ann@customer.example")
    assert "the site's own acknowledgement" in text_of(sent)
    assert str(sent["Subject"]).startswith("We have it, ")
    (ticket,) = daemon.json("ticket", "list")
    story = daemon.json("ticket", "show", ticket["number"])["timeline"]
    assert [one["kind"] for one in story if one["kind"] in ("error", "resent")] == ["error", "resent"]


def test_a_reload_changes_how_much_is_logged(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon()
    daemon.start()
    daemon.extra = BILLING
    daemon.write_configuration()
    written = daemon.config / "mailticket.toml"
    silent = written.read_text(encoding="utf-8").replace('log_level = "info"', 'log_level = "error"')
    written.write_text(silent, encoding="utf-8")
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: accepts(daemon, "billing@desk.example"), "the configuration is reloaded")
    daemon.send(new_mail("While it is silent"))
    daemon.wait_to("ann@customer.example")
    daemon.settle()
    assert "mail.handled" not in daemon.log()
    reload(daemon, BILLING, "configuration.reloaded")
    daemon.send(new_mail("While it tells"))
    daemon.settle()
    assert daemon.log().count("mail.handled") == 1
