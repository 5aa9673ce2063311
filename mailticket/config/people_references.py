"""What no section about people can check alone. One rule, one function, as in config/references.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mailticket.config.people import Agent, Organisation
from mailticket.config.problems import Path, did_you_mean
from mailticket.config.validate import Draft


def no_agent_is_called_me(draft: Draft) -> None:
    """In a command, "me" is whoever writes it."""
    if "me" in draft.document.tree.get("agents", {}):
        draft.document.report(("agents", "me"), "cannot be a key: `#assign me` means the agent who writes it")


def nobody_is_their_own_deputy(draft: Draft) -> None:
    """Whoever is away cannot stand in for themselves."""
    for key, agent in _agents(draft):
        if agent.deputy == key:
            draft.document.report(("agents", key, "deputy"), "names the agent it belongs to", value=key)


def roles_are_for_departments(draft: Draft) -> None:
    """The roles of an agent in single departments: both of them exist."""
    departments = draft.document.tree.get("departments", {})
    roles = draft.document.tree.get("roles", {})
    for key, agent in _agents(draft):
        for department, role in agent.roles.items():
            path: Path = ("agents", key, "roles", department)
            if department not in departments:
                hint = did_you_mean(department, departments)
                draft.document.report(path, "names no department", suggestion=hint)
            if role not in roles:
                draft.document.report(path, "names no role", value=role, suggestion=did_you_mean(role, roles))


def domains_belong_to_one_organisation(draft: Draft) -> None:
    """Whoever writes from a domain belongs to one organisation."""
    seen: dict[str, str] = {}
    for key, organisation in draft.entries["organisations"].items():
        assert isinstance(organisation, Organisation)
        for index, domain in enumerate(organisation.domains):
            first = seen.setdefault(domain, key)
            if first != key:
                path: Path = ("organisations", key, "domains", index)
                message = f"is a domain that organisations.{first} has too"
                draft.document.report(path, message, value=domain)


PEOPLE_RULES: tuple[Callable[[Draft], None], ...] = (
    no_agent_is_called_me,
    nobody_is_their_own_deputy,
    roles_are_for_departments,
    domains_belong_to_one_organisation,
)


def _agents(draft: Draft) -> Iterator[tuple[str, Agent]]:
    for key, entry in draft.entries["agents"].items():
        assert isinstance(entry, Agent)
        yield key, entry
