"""Every template there is: what it is for, who reads it, and what it may count on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class TemplateSpec:
    """What a template is for, who reads it, and which parts of a `Letter` it needs beyond the common ones."""

    code: str
    audience: Literal["customer", "agent"]
    purpose: str
    needs: tuple[str, ...] = ()


CATALOGUE: dict[str, TemplateSpec] = {
    spec.code: spec
    for spec in (
        TemplateSpec("ticket.autoresp", "customer", "acknowledges a new ticket", ("ticket",)),
        TemplateSpec("message.autoresp", "customer", "acknowledges a further message", ("ticket",)),
        TemplateSpec("ticket.reply", "customer", "an agent's answer", ("ticket", "response")),
        TemplateSpec("ticket.autoreply", "customer", "a canned reply that a rule chose", ("ticket",)),
        TemplateSpec("ticket.notice", "customer", "an agent opened a ticket for them", ("ticket",)),
        TemplateSpec(
            "ticket.activity.notice", "customer", "another who takes part wrote", ("ticket", "message")
        ),
        TemplateSpec("ticket.overlimit", "customer", "too many mails to acknowledge each", ("ticket",)),
        TemplateSpec("ticket.held", "customer", "their message is looked at first", ("ticket",)),
        TemplateSpec("ticket.resolved", "customer", "an agent marked the ticket as solved", ("ticket",)),
        TemplateSpec("ticket.closed", "customer", "an agent closed the ticket", ("ticket",)),
        TemplateSpec("ticket.reopened", "customer", "an agent took the ticket up again", ("ticket",)),
        TemplateSpec("ticket.merged", "customer", "their ticket was put together with another", ("ticket",)),
        TemplateSpec("ticket.satisfaction", "customer", "asks how it went", ("ticket",)),
        TemplateSpec("ticket.alert", "agent", "a new ticket", ("ticket",)),
        TemplateSpec("message.alert", "agent", "a further message of the customer", ("ticket", "message")),
        TemplateSpec("held.alert", "agent", "a stranger's reply waits for a decision", ("ticket", "message")),
        TemplateSpec("held.ask", "customer", "asks the customer about a stranger's reply", ("ticket",)),
        TemplateSpec("bounce.alert", "agent", "an answer did not arrive", ("ticket", "response")),
        TemplateSpec("brake.alert", "agent", "mail is kept silently, or not answered", ("ticket",)),
        TemplateSpec("note.alert", "agent", "a colleague's note or answer", ("ticket",)),
        TemplateSpec("assigned.alert", "agent", "a ticket was given to somebody", ("ticket",)),
        TemplateSpec("released.alert", "agent", "a ticket was taken back from its agent", ("ticket",)),
        TemplateSpec("transfer.alert", "agent", "a ticket came from another department", ("ticket",)),
        TemplateSpec("referral.alert", "agent", "another department's ticket to see", ("ticket",)),
        TemplateSpec("waited.alert", "agent", "what a ticket waited for is done", ("ticket",)),
        TemplateSpec("guard.alert", "agent", "a ticket could not end by itself", ("ticket",)),
        TemplateSpec("ticket.warning", "agent", "a promised time comes near", ("ticket", "alert")),
        TemplateSpec("ticket.overdue", "agent", "a promised time has passed", ("ticket", "alert")),
        TemplateSpec("ticket.alerts", "agent", "many promised times at once", ("alerts",)),
        TemplateSpec("ticket.nudge", "customer", "reminds a customer who is waited for", ("ticket",)),
        TemplateSpec("ticket.autoresolved", "customer", "resolved for want of an answer", ("ticket",)),
        TemplateSpec("ticket.autoclosed", "customer", "closed some time after its solution", ("ticket",)),
        TemplateSpec("ticket.status", "customer", "a customer's own open tickets, on request"),
        TemplateSpec("ticket.update", "customer", "says honestly where the ticket stands", ("ticket",)),
        TemplateSpec("loop.reminder", "agent", "the customer has heard nothing for a while", ("ticket",)),
        TemplateSpec("ticket.wakeup", "agent", "a paused ticket has come back", ("ticket",)),
        TemplateSpec("ticket.reminder", "agent", "what an agent wanted to be reminded of", ("ticket",)),
        TemplateSpec("ticket.digest", "agent", "a manager's day at a glance"),
        TemplateSpec("report.monthly", "agent", "what the desk achieved in a month, week or quarter"),
        TemplateSpec("command.error", "agent", "a command was not understood, nothing was done"),
        TemplateSpec("command.help", "agent", "the commands, on request"),
        TemplateSpec("console.answer", "agent", "what an agent asked of the mail console"),
        TemplateSpec("agent.challenge", "agent", "whether an unknown address is the agent's"),
        TemplateSpec("agent.unplaced", "agent", "a mail passed on that no ticket could be opened from"),
        TemplateSpec("ticket.forward", "agent", "a copy of a mail that a rule sends to somebody outside"),
        TemplateSpec("agent.away", "agent", "the agent counts as away"),
        TemplateSpec("agent.receipt", "agent", "what the agent's mail did", ("ticket", "receipt")),
        TemplateSpec("agent.stale", "agent", "an answer waits, or was given up", ("ticket", "missed")),
        TemplateSpec("agent.back", "agent", "the agent counts as back"),
        TemplateSpec("agent.refused", "agent", "an agent's mail that could not be accepted"),
    )
}
"""Every template there is, by its code; osTicket's codes where it has one."""
