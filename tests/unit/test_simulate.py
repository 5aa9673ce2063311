"""What-if: history judged twice, and routed again."""

from __future__ import annotations

from datetime import timedelta

from mailticket.config.desk import Actions, Condition, Desk, Rule, SLAPlan
from mailticket.domain.history import TicketStory
from mailticket.domain.routing import MailFacts, Route, route
from mailticket.domain.schedule import WorkingTimes
from mailticket.domain.simulate import Promises, Simulation, SimulationResult, rerouted, same_routing
from tests.unit.test_report import DESK, HOUR, NOW, START, K, story

STRICT = DESK.model_copy(
    update={
        "sla_plans": {
            "std": SLAPlan(key="std", name="Std", first_response=HOUR, resolution=timedelta(days=30))
        }
    }
)
TO_SALES = DESK.model_copy(
    update={
        "rules": (
            Rule(
                name="printers",
                when=(Condition(field="subject", how="contains", value="printer"),),
                then=Actions(department="sales", agent="ann"),
            ),
        )
    }
)
MAIL = MailFacts(
    sender="ann@customer.example",
    sender_name="Ann",
    recipient="support@desk.example",
    reply_to="",
    subject="Printer on fire",
    body="",
    department_by_address="support",
)


def simulated(
    other: Desk, *stories: TicketStory, routes: tuple[Route, Route] | None = None, most: int = 10
) -> SimulationResult:
    simulation = Simulation((DESK, WorkingTimes(DESK)), (other, WorkingTimes(other)), START, NOW, most)
    for one in stories:
        simulation.add(one, routes)
    return simulation.result()


def both(other: Desk) -> tuple[Route, Route]:
    return route(MAIL, DESK), route(MAIL, other)


def test_the_same_desk_changes_nothing() -> None:
    result = simulated(DESK, story((2, K.RESPONSE), (72, K.RESOLVED), status="resolved"), routes=both(DESK))
    assert (result.changed, result.moved, result.rejected) == (0, 0, 0)
    assert result.breached_then == result.breached_now == 1
    assert all(item.then == item.now for item in result.targets)


def test_a_stricter_plan_breaks_one_promise_and_keeps_another() -> None:
    result = simulated(STRICT, story((2, K.RESPONSE), (72, K.RESOLVED), status="resolved"))
    by_target = {item.target: item for item in result.targets}
    assert by_target["first_response"].then == Promises(1, 0)
    assert by_target["first_response"].now == Promises(0, 1)
    assert by_target["resolution"].then == Promises(0, 1)
    assert by_target["resolution"].now == Promises(1, 0)
    (change,) = result.changes
    assert (change.broken, change.kept, change.moved) == (("first_response",), ("resolution",), ())
    loads = {(load.dimension, load.key): load for load in result.loads}
    assert (loads["department", "support"].missed_then, loads["department", "support"].missed_now) == (1, 1)


def test_a_promise_still_running_counts_for_neither() -> None:
    result = simulated(STRICT, story((1, K.RESPONSE)))
    by_target = {item.target: item for item in result.targets}
    assert by_target["resolution"].now == Promises(0, 0)


def test_other_rules_send_a_ticket_elsewhere_from_its_beginning() -> None:
    result = simulated(TO_SALES, story(), routes=both(TO_SALES))
    assert (result.rerouted, result.moved) == (1, 1)
    (change,) = result.changes
    assert set(change.moved) == {("department", "support", "sales"), ("assignee", None, "ann")}
    loads = {(load.dimension, load.key): load for load in result.loads}
    assert (loads["department", "support"].tickets_then, loads["department", "support"].tickets_now) == (1, 0)
    assert loads["department", "sales"].tickets_now == 1
    assert loads["agent", "ann"].tickets_now == 1
    assert loads["department", "sales"].missed_now == 2


def test_what_was_changed_by_hand_later_stays_changed() -> None:
    moved = story(changes=((5, "department", "support", "it"),), department="it")
    other = rerouted(moved, *both(TO_SALES))
    assert other.value("department", START) == "sales"
    assert other.value("department", START + 6 * HOUR) == "it"
    assert other.fields["department"] == "it"


def test_an_assignment_told_at_the_creation_gives_way_to_the_new_one() -> None:
    assigned = story(changes=((0, "assignee", None, "bob"),), assignee="bob")
    other = rerouted(assigned, *both(TO_SALES))
    assert other.value("assignee", START) == "ann"
    assert other.fields["assignee"] == "ann"


def test_a_mail_the_new_rules_refuse_makes_no_ticket() -> None:
    refusing = DESK.model_copy(update={"rules": (Rule(name="no", then=Actions(reject="We are closed.")),)})
    result = simulated(refusing, story(), routes=both(refusing))
    assert (result.tickets, result.rejected, result.breached_then, result.breached_now) == (1, 1, 1, 0)
    assert result.changes[0].rejected


def test_tickets_of_before_the_period_and_merged_ones_are_passed_over() -> None:
    result = simulated(STRICT, story(created=START - HOUR), story(status="merged"))
    assert result.tickets == 0


def test_no_more_tickets_are_kept_than_asked_for_the_newly_broken_first() -> None:
    better = story((2 * 24, K.RESPONSE), (72, K.RESOLVED), status="resolved")
    worse = story((2, K.RESPONSE))
    result = simulated(STRICT, better, better, worse, most=2)
    assert result.changed == 3
    assert [bool(change.broken) for change in result.changes] == [True, False]


def test_only_plans_and_schedules_leave_the_routing_as_it_is() -> None:
    assert same_routing(DESK, STRICT)
    assert not same_routing(DESK, TO_SALES)
