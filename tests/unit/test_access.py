"""Who may join, decide and bring others; and what counts as a decision about a held reply."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailticket.config.desk import Agent, Department, Desk, Priority
from mailticket.domain.access import Access, collaborator, may_add_by_cc, may_decide, may_join
from mailticket.domain.change import Merge, Release, SetField
from mailticket.domain.holding import approve, bare_word, deny
from mailticket.domain.matching import named_numbers
from mailticket.domain.types import EvidenceKind, ThreadEvidence, Trust
from tests.facts import a_ticket

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
ANN, BOB = "ann@customer.example", "bob@elsewhere.example"
DESK = Desk(
    name="Example Bank",
    instance="test",
    default_department="support",
    departments={"support": Department(name="Support", addresses=("support@desk.example",))},
    agents={"sam": Agent(key="sam", name="Sam", addresses=("sam@agents.example",))},
    priorities={"normal": Priority(name="Normal", urgency=3)},
)
TICKET = a_ticket(id=1, number="111111", subject="s", requester=ANN, requester_name="")
HELD = replace(
    TICKET, id=2, number="222222", requester=BOB, participants=frozenset({BOB}), held_for=TICKET
)  # fmt: skip


@pytest.mark.parametrize("kind", EvidenceKind)
@pytest.mark.parametrize(
    ("sender", "doubted"), [(ANN, True), (BOB, False), (BOB, True), (None, False)], ids=str
)
def test_nobody_but_a_believed_participant_joins(
    kind: EvidenceKind, sender: str | None, doubted: bool
) -> None:
    guessable = kind in (EvidenceKind.SUBJECT_NUMBER, EvidenceKind.SAME_SUBJECT)
    verdict = may_join(ThreadEvidence(kind, 1), TICKET, sender, doubted=doubted)
    assert verdict.access is (Access.NONE if guessable else Access.HOLD)
    assert verdict.reason


@pytest.mark.parametrize("kind", EvidenceKind)
@pytest.mark.parametrize("doubted", [False, True])
def test_a_colleague_joins_where_the_organisation_shares_by_what_nobody_can_guess(
    kind: EvidenceKind, doubted: bool
) -> None:
    guessable = kind in (EvidenceKind.SUBJECT_NUMBER, EvidenceKind.SAME_SUBJECT)
    verdict = may_join(ThreadEvidence(kind, 1), TICKET, BOB, doubted=doubted, shared=True)
    if guessable:
        assert verdict.access is Access.NONE
    else:
        assert verdict.access is (Access.HOLD if doubted else Access.JOIN)


@pytest.mark.parametrize("kind", EvidenceKind)
def test_a_participant_joins_by_any_pointer(kind: EvidenceKind) -> None:
    assert may_join(ThreadEvidence(kind, 1), TICKET, ANN, doubted=False).access is Access.JOIN


@pytest.mark.parametrize(
    ("sender", "level", "access"),
    [
        (ANN, Trust.KNOWN, Access.JOIN),
        (ANN, Trust.FAILED, Access.NONE),
        (BOB, Trust.TOKEN, Access.NONE),
        (None, Trust.UNKNOWN, Access.NONE),
    ],
)
def test_only_the_requester_decides_by_mail(sender: str | None, level: Trust, access: Access) -> None:
    assert may_decide(sender, level, HELD).access is access
    assert may_decide(sender, level, TICKET).access is Access.NONE


@pytest.mark.parametrize(
    ("policy", "actor", "level", "may"),
    [
        ("nobody", "agent:sam", Trust.TOKEN, False),
        ("agents", "agent:sam", Trust.TOKEN, True),
        ("agents", "agent:sam", Trust.KNOWN, False),
        ("agents", ANN, Trust.TOKEN, False),
        ("requester", ANN, Trust.AUTHENTICATED, True),
        ("requester", ANN, Trust.KNOWN, False),
        ("requester", ANN, Trust.FAILED, False),
        ("requester", BOB, Trust.TOKEN, False),
    ],
)
def test_a_copy_counts_by_policy_person_and_proof(policy: str, actor: str, level: Trust, may: bool) -> None:
    desk = DESK.model_copy(update={"cc_adds": policy})
    assert may_add_by_cc(desk, actor, ANN, level) is may


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("Bob@Elsewhere.Example", BOB),
        ("support@desk.example", None),
        ("support+x@desk.example", None),
        ("console@desk.example", None),
        ("console+x@desk.example", None),
        ("sam@agents.example", None),
        ("sam+phone@agents.example", None),
        ("nobody", None),
        ("a@b.example, c@d.example", None),
        ("a@b.example\r\nBcc: c@d.example", None),
    ],
)
def test_a_collaborator_is_one_plain_outside_address(address: str, found: str | None) -> None:
    plain, reason = collaborator(DESK, address)
    assert plain == found
    assert bool(reason) is (found is None)


@pytest.mark.parametrize(
    ("text", "wanted", "rest"),
    [
        ("approve", True, ""),
        ("\n*Approve.*\n\nHe is fine.", True, "He is fine."),
        ("Yes!", True, ""),
        ("deny\nno idea who that is", False, "no idea who that is"),
        ("NO", False, ""),
        ("No, I do not know him", None, None),
        ("yes please", None, None),
        ("approve of it", None, None),
        ("Well\napprove", None, None),
        ("", None, None),
    ],
)
def test_only_a_first_line_with_nothing_but_the_word_decides(
    text: str, wanted: bool | None, rest: str | None
) -> None:
    assert bare_word(text) == (wanted, text if rest is None else rest)


def test_an_approved_reply_is_merged_and_a_denied_one_released() -> None:
    yes = approve(HELD, "agent:sam", "Sam", DESK, NOW)
    no = deny(HELD, "agent:sam", "Sam")
    assert isinstance(yes[0], Merge)
    assert (yes[0].source, yes[0].ticket, yes[0].approved) == (2, 1, True)
    assert isinstance(no[0], Release)
    assert "not held" in str(approve(TICKET, "agent:sam", "Sam", DESK, NOW))
    assert "not held" in str(deny(TICKET, "agent:sam", "Sam"))


@pytest.mark.parametrize("days", [1, 400], ids=["within the window", "long after"])
def test_approval_opens_a_closed_ticket_again(days: int) -> None:
    closed = replace(TICKET, status="closed", closed_at=NOW - timedelta(days=days))
    changes = approve(replace(HELD, held_for=closed), "agent:sam", "Sam", DESK, NOW)
    assert isinstance(changes[1], SetField)
    assert (changes[1].ticket, changes[1].value) == (1, "open")


def test_nothing_joins_an_archived_ticket() -> None:
    archived = replace(HELD, held_for=replace(TICKET, status="archived"))
    assert "takes no more messages" in str(approve(archived, "agent:sam", "Sam", DESK, NOW))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("#move 123456", ("123456",)),
        ("  *#Move: #123456*", ("123456",)),
        ("#move new", ()),
        ("please #move 123456", ()),
        ("#tag 123456", ()),
        ("#merge 123456\n#move 654321", ("123456", "654321")),
    ],
)
def test_numbers_on_command_lines_are_found_before_the_commands_are_read(
    text: str, numbers: tuple[str, ...]
) -> None:
    assert named_numbers(text, "#") == numbers
