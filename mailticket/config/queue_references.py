"""What no saved queue can check alone. One rule, one function, as in config/references.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mailticket.config.field_values import FieldProblem, read_value
from mailticket.config.lifecycle import CustomField
from mailticket.config.problems import did_you_mean
from mailticket.config.queues import SavedQueue
from mailticket.config.validate import Draft

STATUSES = ("open", "in-progress", "waiting", "on-hold", "resolved", "closed", "archived", "merged")
RESERVED_ASSIGNEES = ("me", "-")


def queues_name_statuses(draft: Draft) -> None:
    """A status that no ticket has would make a list that is always empty."""
    known = (*STATUSES, *draft.document.tree.get("statuses", {}))
    for key, queue in _queues(draft):
        for index, status in enumerate(queue.status):
            if status not in known:
                path = ("queues", key, "status", index)
                draft.document.report(
                    path, "is no status", value=status, suggestion=did_you_mean(status, known)
                )


def queues_name_agents(draft: Draft) -> None:
    """An agent's key, "me" or "-"."""
    agents = draft.document.tree.get("agents", {})
    for key, queue in _queues(draft):
        for index, agent in enumerate(queue.assignee):
            if agent not in agents and agent not in RESERVED_ASSIGNEES:
                hint = did_you_mean(agent, (*agents, *RESERVED_ASSIGNEES))
                path = ("queues", key, "assignee", index)
                draft.document.report(path, "names no agent", value=agent, suggestion=hint)


def queues_name_fields(draft: Draft) -> None:
    """A custom field, and a value it can have."""
    fields = draft.entries["fields"]
    for key, queue in _queues(draft):
        for index, written in enumerate(queue.field):
            path = ("queues", key, "field", index)
            name, equals, text = written.partition("=")
            field = fields.get(name)
            if not equals:
                draft.document.report(path, "must be KEY=VALUE", value=written)
            elif not isinstance(field, CustomField):
                draft.document.report(
                    path, "names no field", value=name, suggestion=did_you_mean(name, fields)
                )
            elif isinstance(value := read_value(field, text), FieldProblem):
                draft.document.report(path, f"means nothing: {value.reason}", value=written)


QUEUE_RULES: tuple[Callable[[Draft], None], ...] = (
    queues_name_statuses,
    queues_name_agents,
    queues_name_fields,
)


def _queues(draft: Draft) -> Iterator[tuple[str, SavedQueue]]:
    for key, entry in draft.entries["queues"].items():
        assert isinstance(entry, SavedQueue)
        yield key, entry
