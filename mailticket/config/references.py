"""What no section can check alone: names that must exist, addresses and ports used once, files.

One rule, one function: each takes the draft and reports to its document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mailticket.config.desk import Department, Schedule, SLAPlan
from mailticket.config.mail_references import MAIL_RULES
from mailticket.config.network_references import NETWORK_RULES
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
from mailticket.config.validate import Draft
from mailticket.config.written import ANY, addresses, matching

LONGEST_LOCAL_PART = 18
"""Octets: with a reply token and "+" behind it, a local part must stay within 64 (RFC 5321, 4.5.3.1.1)."""

REFERENCES: tuple[tuple[Path, str], ...] = (
    (("desk", "default_department"), "departments"),
    (("desk", "default_priority"), "priorities"),
    (("desk", "default_sla_plan"), "sla_plans"),
    (("desk", "default_role"), "roles"),
    (("desk", "default_topic"), "topics"),
    (("arrivals", ANY, "topic"), "topics"),
    (("arrivals", ANY, "priority"), "priorities"),
    (("departments", ANY, "manager"), "agents"),
    (("departments", ANY, "members"), "agents"),
    (("departments", ANY, "sla_plan"), "sla_plans"),
    (("agents", ANY, "departments"), "departments"),
    (("agents", ANY, "schedule"), "schedules"),
    (("agents", ANY, "deputy"), "agents"),
    (("agents", ANY, "role"), "roles"),
    (("teams", ANY, "lead"), "agents"),
    (("teams", ANY, "members"), "agents"),
    (("teams", ANY, "quiet"), "agents"),
    (("organisations", ANY, "account_manager"), "agents"),
    (("organisations", ANY, "team"), "teams"),
    (("organisations", ANY, "priority"), "priorities"),
    (("organisations", ANY, "sla_plan"), "sla_plans"),
    (("topics", ANY, "department"), "departments"),
    (("topics", ANY, "priority"), "priorities"),
    (("topics", ANY, "sla_plan"), "sla_plans"),
    (("topics", ANY, "agent"), "agents"),
    (("topics", ANY, "team"), "teams"),
    (("rules", ANY, "then", "department"), "departments"),
    (("rules", ANY, "then", "topic"), "topics"),
    (("rules", ANY, "then", "priority"), "priorities"),
    (("rules", ANY, "then", "sla_plan"), "sla_plans"),
    (("rules", ANY, "then", "agent"), "agents"),
    (("rules", ANY, "then", "team"), "teams"),
    (("rules", ANY, "then", "canned"), "canned"),
    (("canned", ANY, "departments"), "departments"),
    (("rules", ANY, "then", "webhooks"), "webhooks"),
    (("sla_plans", ANY, "steps", ANY, "webhooks"), "webhooks"),
    (("fields", ANY, "departments"), "departments"),
    (("fields", ANY, "topics"), "topics"),
    (("sla_plans", ANY, "schedule"), "schedules"),
    (("desk", "default_follow_up"), "follow_ups"),
    (("departments", ANY, "follow_up"), "follow_ups"),
    (("digest", "schedule"), "schedules"),
    (("digests", ANY, "schedule"), "schedules"),
    (("digests", ANY, "readers"), "agents"),
    (("digests", ANY, "departments"), "departments"),
    (("digests", ANY, "teams"), "teams"),
    (("digests", ANY, "topics"), "topics"),
    (("digests", ANY, "priorities"), "priorities"),
    (("reports", ANY, "readers"), "agents"),
    (("queues", ANY, "department"), "departments"),
    (("queues", ANY, "topic"), "topics"),
    (("queues", ANY, "priority"), "priorities"),
    (("queues", ANY, "sla_plan"), "sla_plans"),
    (("queues", ANY, "team"), "teams"),
    (("queues", ANY, "organisation"), "organisations"),
    (("follow_ups", ANY, "schedule"), "schedules"),
    *((("sla_plans", ANY, "schedules", target), "schedules") for target in TARGETS),
    (("sla_plans", ANY, "steps", ANY, "priority"), "priorities"),
    (("sla_plans", ANY, "steps", ANY, "agent"), "agents"),
    (("sla_plans", ANY, "steps", ANY, "team"), "teams"),
    (("sla_plans", ANY, "steps", ANY, "department"), "departments"),
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
        for path, written in matching(tree, (), pattern):
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
        for path, address in addresses(draft, section):
            first = seen.setdefault(address.lower(), path)
            if first != path:
                message = f"is an address that {dotted(first[:2])} has too"
                draft.document.report(path, message, value=address)


def department_addresses_leave_room(draft: Draft) -> None:
    """A department's addresses have no extension, and the one it sends from has room for a token."""
    for path, address in addresses(draft, "departments"):
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
    *NETWORK_RULES,
    templates_folder_exists,
    *MAIL_RULES,
    mail_comes_in_somewhere,
)


def _known(keys: Any) -> str:
    return f"Known are: {', '.join(sorted(keys))}"


def _departments(draft: Draft) -> Iterator[tuple[str, Department]]:
    for key, entry in draft.entries["departments"].items():
        assert isinstance(entry, Department)
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
