"""What no section can check alone: names that must exist, addresses and ports used once, files.

One rule, one function: each takes the draft and reports to its document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path as FilePath
from typing import Any

from mailticket.config.desk import Department, Schedule, SLAPlan
from mailticket.config.mail_references import MAIL_RULES
from mailticket.config.people_references import PEOPLE_RULES
from mailticket.config.problems import Path, did_you_mean, dotted
from mailticket.config.promise import TARGETS
from mailticket.config.queue_references import QUEUE_RULES
from mailticket.config.rule_checks import (
    actions_fit_the_mails,
    arrivals_are_served,
    conditions_fit_what_tickets_have,
    conditions_name_what_exists,
    copies_do_not_come_back,
    fields_take_what_rules_give,
    patterns_are_supported,
    rules_can_fire,
    rules_have_different_names,
    tickets_begin_in_a_status,
)
from mailticket.config.settings import Listener, Mailbox
from mailticket.config.validate import Draft
from mailticket.config.values import NotThis, canonical_address

LONGEST_LOCAL_PART = 18
"""Octets: with a reply token and "+" behind it, a local part must stay within 64 (RFC 5321, 4.5.3.1.1)."""

_ANY = "*"
REFERENCES: tuple[tuple[Path, str], ...] = (
    (("desk", "default_department"), "departments"),
    (("desk", "default_priority"), "priorities"),
    (("desk", "default_sla_plan"), "sla_plans"),
    (("desk", "default_role"), "roles"),
    (("desk", "default_topic"), "topics"),
    (("arrivals", _ANY, "topic"), "topics"),
    (("arrivals", _ANY, "priority"), "priorities"),
    (("departments", _ANY, "manager"), "agents"),
    (("departments", _ANY, "members"), "agents"),
    (("departments", _ANY, "sla_plan"), "sla_plans"),
    (("agents", _ANY, "departments"), "departments"),
    (("agents", _ANY, "schedule"), "schedules"),
    (("agents", _ANY, "deputy"), "agents"),
    (("agents", _ANY, "role"), "roles"),
    (("teams", _ANY, "lead"), "agents"),
    (("teams", _ANY, "members"), "agents"),
    (("teams", _ANY, "quiet"), "agents"),
    (("organisations", _ANY, "account_manager"), "agents"),
    (("organisations", _ANY, "team"), "teams"),
    (("organisations", _ANY, "priority"), "priorities"),
    (("organisations", _ANY, "sla_plan"), "sla_plans"),
    (("topics", _ANY, "department"), "departments"),
    (("topics", _ANY, "priority"), "priorities"),
    (("topics", _ANY, "sla_plan"), "sla_plans"),
    (("topics", _ANY, "agent"), "agents"),
    (("topics", _ANY, "team"), "teams"),
    (("rules", _ANY, "then", "department"), "departments"),
    (("rules", _ANY, "then", "topic"), "topics"),
    (("rules", _ANY, "then", "priority"), "priorities"),
    (("rules", _ANY, "then", "sla_plan"), "sla_plans"),
    (("rules", _ANY, "then", "agent"), "agents"),
    (("rules", _ANY, "then", "team"), "teams"),
    (("rules", _ANY, "then", "canned"), "canned"),
    (("canned", _ANY, "departments"), "departments"),
    (("rules", _ANY, "then", "webhooks"), "webhooks"),
    (("sla_plans", _ANY, "steps", _ANY, "webhooks"), "webhooks"),
    (("fields", _ANY, "departments"), "departments"),
    (("fields", _ANY, "topics"), "topics"),
    (("sla_plans", _ANY, "schedule"), "schedules"),
    (("desk", "default_follow_up"), "follow_ups"),
    (("departments", _ANY, "follow_up"), "follow_ups"),
    (("digest", "schedule"), "schedules"),
    (("digests", _ANY, "schedule"), "schedules"),
    (("digests", _ANY, "readers"), "agents"),
    (("digests", _ANY, "departments"), "departments"),
    (("digests", _ANY, "teams"), "teams"),
    (("digests", _ANY, "topics"), "topics"),
    (("digests", _ANY, "priorities"), "priorities"),
    (("reports", _ANY, "readers"), "agents"),
    (("queues", _ANY, "department"), "departments"),
    (("queues", _ANY, "topic"), "topics"),
    (("queues", _ANY, "priority"), "priorities"),
    (("queues", _ANY, "sla_plan"), "sla_plans"),
    (("queues", _ANY, "team"), "teams"),
    (("queues", _ANY, "organisation"), "organisations"),
    (("follow_ups", _ANY, "schedule"), "schedules"),
    *((("sla_plans", _ANY, "schedules", target), "schedules") for target in TARGETS),
    (("sla_plans", _ANY, "steps", _ANY, "priority"), "priorities"),
    (("sla_plans", _ANY, "steps", _ANY, "agent"), "agents"),
    (("sla_plans", _ANY, "steps", _ANY, "team"), "teams"),
    (("sla_plans", _ANY, "steps", _ANY, "department"), "departments"),
)
"""Option -> the section whose keys it names."""

_NOUN = {
    "departments": "department",
    "priorities": "priority",
    "sla_plans": "SLA plan",
    "agents": "agent",
    "organisations": "organisation",
    "teams": "team",
    "topics": "help topic",
    "schedules": "schedule",
    "follow_ups": "follow-up",
    "roles": "role",
    "webhooks": "webhook",
    "canned": "canned reply",
}
_EVERYWHERE = frozenset({"", "*", "0.0.0.0", "::"})  # noqa: S104 - compared with, never bound to
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def check_references(draft: Draft) -> None:
    """Apply every rule."""
    for rule in RULES:
        rule(draft)


def names_exist(draft: Draft) -> None:
    """Every key that an option names is there."""
    tree = draft.document.tree
    default = ("desk", "default_priority")
    if draft.document.at(default) is None and "normal" not in tree["priorities"]:
        draft.document.report(
            default, "is needed: there is no priority normal", suggestion=_known(tree["priorities"])
        )
    for pattern, section in REFERENCES:
        known = tree.get(section, {})
        for path, written in _matching(tree, (), pattern):
            many = isinstance(written, list)
            for index, key in enumerate(written if many else [written]):
                if isinstance(key, str) and key.strip() not in known:
                    place = (*path, index) if many else path
                    message = f"names no {_NOUN[section]}"
                    draft.document.report(place, message, value=key, suggestion=did_you_mean(key, known))


def addresses_are_used_once(draft: Draft) -> None:
    """No address belongs to two departments, two agents, or one of each: mail would have two meanings."""
    seen: dict[str, Path] = {}
    for section in ("departments", "agents"):
        for path, address in _addresses(draft, section):
            first = seen.setdefault(address.lower(), path)
            if first != path:
                message = f"is an address that {dotted(first[:2])} has too"
                draft.document.report(path, message, value=address)


def department_addresses_leave_room(draft: Draft) -> None:
    """A department's addresses have no extension, and the one it sends from has room for a token."""
    for path, address in _addresses(draft, "departments"):
        local = address.rpartition("@")[0]
        if "+" in local:
            message = 'must have no "+": what follows it is where reply tokens go'
            draft.document.report(path, message, value=address)
        elif path[-1] == 0 and len(local.encode()) > LONGEST_LOCAL_PART:
            draft.document.report(
                path,
                f"is too long to send from: with a reply token behind it, the part before the @ may have"
                f" {LONGEST_LOCAL_PART} characters, not {len(local.encode())}",
                value=address,
                suggestion="Put a shorter address first; mail to this one is still taken",
            )


def departments_have_readers(draft: Draft) -> None:
    """Warn of a department where nobody hears of a new ticket."""
    working = {
        name for agent in draft.entries["agents"].values() for name in getattr(agent, "departments", ())
    }
    for key, department in _departments(draft):
        if not department.members and key not in working and department.manager is None:
            message = "has no members and no manager: nobody hears of its tickets"
            draft.document.report(("departments", key), message, warning=True)


def holidays_are_known(draft: Draft) -> None:
    """Countries and regions are codes of the `holidays` package."""
    for key, schedule in draft.entries["schedules"].items():
        assert isinstance(schedule, Schedule)
        if schedule.region is not None and schedule.country is None:
            draft.document.report(("schedules", key, "region"), "needs a country", value=schedule.region)
        if schedule.country is not None:
            _check_country(draft, key, schedule.country, schedule.region)


def plans_name_what_exists(draft: Draft) -> None:
    """Priorities a plan makes a difference for, and the agents and teams its steps tell, are there."""
    tree = draft.document.tree
    for key, plan in draft.entries["sla_plans"].items():
        assert isinstance(plan, SLAPlan)
        for priority in plan.priorities:
            if priority not in tree["priorities"]:
                hint = did_you_mean(priority, tree["priorities"])
                path: Path = ("sla_plans", key, "priorities", priority)
                draft.document.report(path, "names no priority", suggestion=hint)
        for index, step in enumerate(plan.steps):
            for place, reader in enumerate(step.tell):
                kind, _, name = reader.partition(":")
                known = tree.get(f"{kind}s", {})
                if kind in ("agent", "team") and name not in known:
                    path = ("sla_plans", key, "steps", index, "tell", place)
                    hint = did_you_mean(name, known)
                    draft.document.report(path, f"names no {kind}", value=reader, suggestion=hint)


def listeners_do_not_collide(draft: Draft) -> None:
    """No two listeners share a port of one host; 0 is any free port."""
    taken: list[tuple[str, Listener]] = []
    for key, listener in _listeners(draft):
        for other, earlier in taken:
            if listener.port == earlier.port != 0 and _hosts_overlap(listener.host, earlier.host):
                message = f"is the port of listeners.{other} too"
                draft.document.report(("listeners", key, "port"), message, value=listener.port)
        taken.append((key, listener))


def listener_certificates_exist(draft: Draft) -> None:
    """TLS files are there, and what needs a certificate has one."""
    for key, listener in _listeners(draft):
        path: Path = ("listeners", key)
        _check_file(draft, (*path, "tls_certificate"), listener.tls_certificate)
        _check_file(draft, (*path, "tls_key"), listener.tls_key)
        if listener.tls_certificate is None and (listener.require_tls or listener.tls_key is not None):
            option = "require_tls" if listener.require_tls else "tls_key"
            draft.document.report((*path, option), "needs a tls_certificate")


def accounts_can_log_in(draft: Draft) -> None:
    """An account is an agent's, and its password crosses the network under TLS only."""
    agents = draft.document.tree.get("agents", {})
    for key, listener in _listeners(draft):
        path: Path = ("listeners", key, "accounts")
        if listener.accounts and (listener.tls_certificate is None or listener.protocol != "smtp"):
            draft.document.report(path, 'need protocol = "smtp" and a tls_certificate')
        for name in listener.accounts:
            if name not in agents:
                message = "is the key of no agent: a mail counts as its agent's"
                draft.document.report((*path, name), message, suggestion=did_you_mean(name, agents))


def mailboxes_can_be_used(draft: Draft) -> None:
    """A mailbox serves a department's address, with exactly one way to log in, over a protected line."""
    served = {address.lower() for _, address in _addresses(draft, "departments")}
    for key, mailbox in draft.entries["mailboxes"].items():
        assert isinstance(mailbox, Mailbox)
        path: Path = ("mailboxes", key)
        if mailbox.password is not None and mailbox.token_command is not None:
            draft.document.report(path, "has both a password and a token_command: one of them is enough")
        if mailbox.password is None and mailbox.token_command is None:
            draft.document.report(path, "needs a password or a token_command")
        if _without_extension(mailbox.address).lower() not in served:
            message = "is the address of no department"
            hint = did_you_mean(mailbox.address, served)
            draft.document.report((*path, "address"), message, value=mailbox.address, suggestion=hint)
        if mailbox.folder == mailbox.processed_folder:
            draft.document.report((*path, "processed_folder"), "must be another folder than `folder`")
        _check_file(draft, (*path, "ca_file"), mailbox.ca_file)
        _warn_of_plain_login(draft, path, mailbox.host, mailbox.security)


def smarthost_can_be_used(draft: Draft) -> None:
    """User and password come together, and cross no open network in the clear."""
    smarthost = draft.delivery.smarthost if draft.delivery else None
    if smarthost is None:
        return
    path: Path = ("delivery", "smarthost")
    if (smarthost.user is None) != (smarthost.password is None):
        missing = "user" if smarthost.user is None else "password"
        draft.document.report((*path, missing), "is missing: user and password come together")
    _check_file(draft, (*path, "ca_file"), smarthost.ca_file)
    if smarthost.password is not None:
        _warn_of_plain_login(draft, path, smarthost.host, smarthost.security)


def signatures_can_be_verified(draft: Draft) -> None:
    """Verifying signatures takes a package that is an extra, and believing headers takes an MX in front."""
    trust = draft.desk.trust if draft.desk else None
    if trust is None:
        return
    if trust.verify == "dkim" and find_spec("dkim") is None:
        message = 'needs the package dkimpy, which is not installed: pip install "mailticket[auth]"'
        draft.document.report(("trust", "verify"), message, value=trust.verify)
    open_doors = [
        key
        for key, listener in _listeners(draft)
        if listener.protocol == "smtp" and listener.host in _EVERYWHERE
    ]
    if trust.authserv_ids and open_doors:
        message = (
            f"are believed, but listeners.{open_doors[0]} takes mail from everywhere: let only the MX that"
            " writes them reach it, or anybody can write his own"
        )
        draft.document.report(("trust", "authserv_ids"), message, warning=True)


def templates_folder_exists(draft: Draft) -> None:
    """A site's own templates are in a folder."""
    folder = draft.service.templates
    if folder is not None and not folder.is_dir():
        draft.document.report(("service", "templates"), "is not a directory", value=str(folder))


def mail_comes_in_somewhere(draft: Draft) -> None:
    """Warn when there is no listener and no mailbox."""
    if not draft.document.tree.get("listeners") and not draft.document.tree.get("mailboxes"):
        message = "and [mailboxes] are both missing: mail comes in through `mailticket deliver` only"
        draft.document.report(("listeners",), message, warning=True)


RULES: tuple[Callable[[Draft], None], ...] = (
    names_exist,
    addresses_are_used_once,
    department_addresses_leave_room,
    departments_have_readers,
    rules_have_different_names,
    patterns_are_supported,
    conditions_name_what_exists,
    conditions_fit_what_tickets_have,
    actions_fit_the_mails,
    fields_take_what_rules_give,
    tickets_begin_in_a_status,
    copies_do_not_come_back,
    arrivals_are_served,
    rules_can_fire,
    *PEOPLE_RULES,
    *QUEUE_RULES,
    holidays_are_known,
    plans_name_what_exists,
    listeners_do_not_collide,
    listener_certificates_exist,
    accounts_can_log_in,
    mailboxes_can_be_used,
    smarthost_can_be_used,
    signatures_can_be_verified,
    templates_folder_exists,
    *MAIL_RULES,
    mail_comes_in_somewhere,
)


def _matching(here: Any, path: Path, pattern: Path) -> Iterator[tuple[Path, Any]]:
    if not pattern:
        yield path, here
    elif isinstance(here, list) and pattern[0] == _ANY:
        for index, inner in enumerate(here):
            yield from _matching(inner, (*path, index), pattern[1:])
    elif isinstance(here, dict):
        for key in here if pattern[0] == _ANY else [pattern[0]]:
            if key in here:
                yield from _matching(here[key], (*path, key), pattern[1:])


def _known(keys: Any) -> str:
    return f"Known are: {', '.join(sorted(keys))}"


def _addresses(draft: Draft, section: str) -> Iterator[tuple[Path, str]]:
    """Every valid address of a section, as written in entries with and without other mistakes."""
    for path, written in _matching(draft.document.tree, (), (section, _ANY, "addresses")):
        for index, address in enumerate(written if isinstance(written, list) else ()):
            try:
                yield (*path, index), canonical_address(str(address).strip())
            except NotThis:
                continue  # reported where the section is validated


def _departments(draft: Draft) -> Iterator[tuple[str, Department]]:
    for key, entry in draft.entries["departments"].items():
        assert isinstance(entry, Department)
        yield key, entry


def _listeners(draft: Draft) -> Iterator[tuple[str, Listener]]:
    for key, entry in draft.entries["listeners"].items():
        assert isinstance(entry, Listener)
        yield key, entry


def _check_country(draft: Draft, key: str, country: str, region: str | None) -> None:
    # Costs a tenth of a second, so only a configuration that names a country pays for it.
    from holidays import list_supported_countries

    regions = list_supported_countries(include_aliases=True)
    if country not in regions:
        hint = did_you_mean(country, regions) or "Write the ISO 3166 code, like DE or US"
        draft.document.report(
            ("schedules", key, "country"), "has no known holidays", value=country, suggestion=hint
        )
    elif region is not None and region not in regions[country]:
        nearest = did_you_mean(region, regions[country])
        message = f"is no region of {country} with known holidays"
        draft.document.report(("schedules", key, "region"), message, value=region, suggestion=nearest)


def _hosts_overlap(one: str, other: str) -> bool:
    return one == other or one in _EVERYWHERE or other in _EVERYWHERE or {one, other} <= _LOOPBACK


def _check_file(draft: Draft, path: Path, file: FilePath | None) -> None:
    if file is not None and not file.is_file():
        draft.document.report(path, "is not a file", value=str(file))


def _without_extension(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def _warn_of_plain_login(draft: Draft, path: Path, host: str, security: str) -> None:
    if security == "none" and host not in _LOOPBACK:
        message = 'is "none": the password crosses the network in the clear'
        draft.document.report((*path, "security"), message, warning=True)
