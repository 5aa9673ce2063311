"""What the mails' sections cannot check alone: logos are there, rules send what fills itself in."""

from __future__ import annotations

from mailticket.config.canned import KNOWN, UNKNOWN_TO_RULES, Canned
from mailticket.config.desk import Department
from mailticket.config.logo import logo_problem
from mailticket.config.rules import Rule
from mailticket.config.validate import Draft


def logos_can_be_sent(draft: Draft) -> None:
    """A logo is a small image of a kind that mail programs show."""
    for key, department in draft.entries["departments"].items():
        assert isinstance(department, Department)
        problem = logo_problem(department.logo) if department.logo is not None else None
        if problem is not None:
            draft.document.report(("departments", key, "logo"), problem, value=str(department.logo))


def rules_send_what_fills_itself_in(draft: Draft) -> None:
    """Nobody is there to give values when a rule answers."""
    for index, rule in draft.rules.items():
        assert isinstance(rule, Rule)
        reply = draft.entries["canned"].get(rule.then.canned or "")
        if isinstance(reply, Canned) and not reply.fills_itself_in:
            wanted = ", ".join(name for name in reply.names if name not in KNOWN or name in UNKNOWN_TO_RULES)
            message = f"is a canned reply that needs {wanted}, which only an agent can give"
            draft.document.report(("rules", index, "then", "canned"), message, value=rule.then.canned)


MAIL_RULES = (logos_can_be_sent, rules_send_what_fills_itself_in)
