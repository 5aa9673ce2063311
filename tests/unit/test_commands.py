"""mail/commands.py: what an agent's lines mean, and that in doubt nothing reaches the customer."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailticket.mail.commands import Commands, Problems, parse_commands
from mailticket.mail.vocabulary import CommandName

LINES_THAT_ARE_COMMANDS = [
    ("#close", "close", ""),
    ("#CLOSE", "close", ""),
    ("#Close", "close", ""),
    ("  #close", "close", ""),
    ("\t#close\t", "close", ""),
    ("\u00a0#close\u00a0", "close", ""),
    ("\u200b#close\u200b", "close", ""),
    ("\ufeff#close", "close", ""),
    ("#\u200bclose", "close", ""),
    ("#cl\u00adose", "close", ""),
    ("＃close", "close", ""),
    ("＃ｃｌｏｓｅ", "close", ""),
    ("♯close", "close", ""),
    ("﹟close", "close", ""),
    ("*#close*", "close", ""),
    ("**#close**", "close", ""),
    ("_#close_", "close", ""),
    ("`#close`", "close", ""),
    ("~~#close~~", "close", ""),
    ("\\#close", "close", ""),
    ('"#close"', "close", ""),
    ("“#close”", "close", ""),
    ("„#close“", "close", ""),
    ("«#close»", "close", ""),
    ("(#close)", "close", ""),
    ("[#close]", "close", ""),
    ("- #close", "close", ""),
    ("– #close", "close", ""),
    ("• #close", "close", ""),
    ("* #close", "close", ""),
    ("#close.", "close", ""),
    ("#close!", "close", ""),
    ("#close:", "close", ""),
    ("#close -", "close", ""),
    ("#close The fuse was blown.", "close", "The fuse was blown."),
    ("#close: The fuse was blown (see manual)", "close", "The fuse was blown (see manual)"),
    ("#close\u00a0new\u00a0fuse", "close", "new fuse"),
    ("*#close* new fuse", "close", "new fuse"),
    ("#close Use *bold*", "close", "Use *bold*"),
    ("#close 1–2 days", "close", "1–2 days"),
    ("#resolve", "resolve", ""),
    ("#reopen", "reopen", ""),
    ("#take", "take", ""),
    ("#unassign", "unassign", ""),
    ("#help", "help", ""),
    ("#assign me", "assign", "me"),
    ("#assign bob", "assign", "bob"),
    ("#assign: bob", "assign", "bob"),
    ("#assign:bob", "assign", "bob"),
    ("#assign @bob", "assign", "bob"),
    ("#assign bob.", "assign", "bob"),
    ("#ASSIGN Bob Other", "assign", "Bob Other"),
    ("#assign  Bob \u00a0 Other ", "assign", "Bob Other"),
    ('#assign "Bob Other"', "assign", "Bob Other"),
    ("#assign *bob*", "assign", "bob"),
    ("**#assign bob**", "assign", "bob"),
    ("**#assign** bob", "assign", "bob"),
    ("#assign bob@desk.example", "assign", "bob@desk.example"),
    ("#assign bob@desk.example <mailto:bob@desk.example>", "assign", "bob@desk.example"),
    ("#assign bob@desk.example<mailto:bob@desk.example>", "assign", "bob@desk.example"),
    ("#assign <bob@desk.example>", "assign", "bob@desk.example"),
    ("#assign Zoë", "assign", "Zoë"),
    ("#assign 田中", "assign", "田中"),
    ("#priority high", "priority", "high"),
    ("#Priority HIGH", "priority", "HIGH"),
    ("#priority very high", "priority", "very high"),
    ("#priority 2", "priority", "2"),
    ("#transfer billing", "transfer", "billing"),
    ("#transfer System Administrators", "transfer", "System Administrators"),
    ("#transfer level–2", "transfer", "level-2"),
    ("#transfer level‑2", "transfer", "level-2"),
    ("#transfer level—2", "transfer", "level-2"),
    ("#team night shift", "team", "night shift"),
    ("#status on-hold", "status", "on-hold"),
    ("#status on hold", "status", "on hold"),
    ("#status\tresolved", "status", "resolved"),
    ("#tag urgent", "tag", "urgent"),
    ("#tag v2.1", "tag", "v2.1"),
    ("#tag area/printing", "tag", "area/printing"),
    ("#tag störung", "tag", "störung"),
    ("#untag urgent", "untag", "urgent"),
    ("#untag `urgent`", "untag", "urgent"),
    ("#cc bob@customer.example", "cc", "bob@customer.example"),
    ("#cc bob@customer.example <mailto:bob@customer.example>", "cc", "bob@customer.example"),
    ("#uncc <bob@customer.example>", "uncc", "bob@customer.example"),
    ("#move 123456", "move", "123456"),
    ("#move #123456", "move", "123456"),
    ("#move: [#123456]", "move", "123456"),
    ("#move New.", "move", "New"),
    ("#approve", "approve", ""),
    ("*#Deny.*", "deny", ""),
]


@pytest.mark.parametrize(("line", "name", "argument"), LINES_THAT_ARE_COMMANDS)
def test_a_command_line_is_understood_at_the_top_and_at_the_bottom(
    line: str, name: str, argument: str
) -> None:
    for text in (f"{line}\nHello Ann,\nit prints.", f"\n\n{line}\n\nHello Ann,\nit prints.\n"):
        assert understood(text) == ([(name, argument)], "Hello Ann,\nit prints.")
    assert understood(f"Hello Ann,\nit prints.\n\n{line}\n\n") == (
        [(name, argument)],
        "Hello Ann,\nit prints.",
    )
    assert understood(line) == ([(name, argument)], "")


def understood(text: str) -> tuple[list[tuple[str, str]], str]:
    result = parse_commands(text)
    assert isinstance(result, Commands), result
    return [(one.name.value, one.argument) for one in result.commands], result.body


LINES_THAT_STOP_THE_MAIL = [
    ("#cc", "#cc ann@customer.example"),
    ("#move", "#move 123456"),
    ("#move bob", "#move"),
    ("#move 12", "#move"),
    ("#approve him", "#approve"),
    ("#aprove", "#approve"),
    ("#clsoe", "#close"),
    ("#closedd", "#close"),
    ("#asign bob", "#assign"),
    ("#reslove", "#resolve"),
    ("#priot high", "#priority"),
    ("#notes", "#note"),
    ("#close-ticket", "#close"),
    ("#close123", "#close"),
    ("#hashtag", None),
    ("#xyzzy", None),
    ("#include <stdio.h>", None),
    ("#?", "#help"),
    ("#? close", "#help"),
    ("# close", "#close"),
    ("# Close the valve first", "#close"),
    ("##close", "#close"),
    ("### close", "#close"),
    ("＃ close", "#close"),
    ("*#clsoe*", "#close"),
    ("#assign", "#assign bob"),
    ("#assign .", "#assign bob"),
    ("#assign #close", "#assign"),
    ("#assign " + "b" * 101, "#assign"),
    ("#priority", "#priority high"),
    ("#transfer", "#transfer billing"),
    ("#transfer -", "#transfer billing"),
    ("#team", "#team night shift"),
    ("#status", "#status on hold"),
    ("#tag", "#tag printer"),
    ("#tag two words", "#tag"),
    ("#tag a,b", "#tag"),
    ("#untag", "#untag printer"),
    ("#take it", "#take"),
    ("#unassign bob", "#unassign"),
    ("#reopen please", "#reopen"),
    ("#resolve new fuse", "#resolve"),
    ("#help me", "#help"),
    ("#reply Hello Ann", "#reply"),
    ("#note #close", "#note"),
    ("#close #assign bob", "#close"),
]


@pytest.mark.parametrize(("line", "nearest"), LINES_THAT_STOP_THE_MAIL)
def test_a_line_that_looks_like_a_command_but_is_none_stops_the_mail(line: str, nearest: str | None) -> None:
    for text in (f"{line}\nHello", f"Hello\n\n{line}\n", line, f"#tag a\n{line}\nHello\n#tag b"):
        result = parse_commands(text)
        assert isinstance(result, Problems)
        assert [(one.line, one.nearest) for one in result.problems] == [(line, nearest)]
        assert all(one.reason for one in result.problems)


LINES_THAT_ARE_TEXT = [
    "#123 is broken",
    "#1 priority: the printer",
    "# heading",
    "#",
    "##",
    "#-close",
    "#: close",
    "> #close",
    ">#close",
    "> > #close",
    "&num;close",
    "close",
    "We close #close",
    "C# close",
    "http://desk.example/#close",
    "$ #close",
    "| #close |",
    "/close/the/valve",
    "@close.example is down",
    "@ann please look",
    "/usr/bin/close",
    "!important",
]


@pytest.mark.parametrize("line", LINES_THAT_ARE_TEXT)
def test_other_lines_are_text_wherever_they_stand(line: str) -> None:
    for text in (
        line,
        f"{line}\nHello",
        f"Hello\n{line}",
        f"Hello\n{line}\nHello",
        f"#close\n{line}\n#tag a",
    ):
        commands, body = understood(text)
        assert body == "\n".join(one for one in text.split("\n") if one not in ("#close", "#tag a"))
        assert len(commands) == (2 if "#tag a" in text else 0)


@pytest.mark.parametrize(
    "line", ["#hashtag", "# heading", "#1 priority", "#closing tickets", "# close", "#notes"]
)
def test_a_line_with_the_prefix_in_the_middle_is_text_unless_it_names_a_command(line: str) -> None:
    text = f"Hello\n{line}\nBye"
    assert understood(text) == ([], text)


@pytest.mark.parametrize(
    "line",
    ["#close", "#CLOSE it", "*#close*", "  #note", "＃close", "- #assign", "#take!", "#priority: high"],
)
def test_a_known_command_in_the_middle_of_the_text_stops_the_mail(line: str) -> None:
    result = parse_commands(f"Hello\n\n{line}\n\nBye")
    assert isinstance(result, Problems)
    assert [one.line for one in result.problems] == [line]


@pytest.mark.parametrize(
    "text", ["#note\nHello", "#NOTE:\n\nHello", "Hello\n#note", "#note Hello", "#note: Hello"]
)
def test_a_note_is_internal_and_is_no_change(text: str) -> None:
    assert parse_commands(text) == Commands(True, (), "Hello")


def test_the_words_behind_note_are_its_first_line() -> None:
    assert parse_commands("#note called again\n#close\n\nwill come") == Commands(
        True, parse_ok("#close").commands, "called again\nwill come"
    )


def parse_ok(text: str) -> Commands:
    result = parse_commands(text)
    assert isinstance(result, Commands)
    return result


def test_an_explicit_reply_is_an_answer() -> None:
    assert parse_commands("#reply\nHello") == Commands(False, (), "Hello", reply=True)


def test_several_commands_keep_their_order_from_top_to_bottom() -> None:
    text = "#priority high\n\n#transfer admins\nHello\n#tag a\n\u00a0\n#tag b\n#close done\n"
    assert understood(text) == (
        [("priority", "high"), ("transfer", "admins"), ("tag", "a"), ("tag", "b"), ("close", "done")],
        "Hello",
    )


def test_the_same_command_twice_counts_once() -> None:
    assert understood("#close\n#assign Bob\nHello\n#assign bob\n#close") == (
        [("close", ""), ("assign", "Bob")],
        "Hello",
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("#note", "#reply"),
        ("#close", "#reopen"),
        ("#close", "#resolve"),
        ("#status open", "#close"),
        ("#status open", "#status closed"),
        ("#close fuse", "#close lamp"),
        ("#take", "#assign bob"),
        ("#take", "#unassign"),
        ("#assign ann", "#assign bob"),
        ("#priority low", "#priority high"),
        ("#transfer sales", "#transfer billing"),
        ("#team day", "#team night"),
    ],
)
def test_two_commands_that_contradict_each_other_stop_the_mail(one: str, other: str) -> None:
    for text in (f"{one}\n{other}\nHello", f"{one}\nHello\n{other}"):
        result = parse_commands(text)
        assert isinstance(result, Problems)
        assert [problem.line for problem in result.problems] == [other]


def test_every_wrong_line_is_named_but_never_more_than_twenty() -> None:
    result = parse_commands("#clsoe\n#asign x\nHello\n#take\nBye\n#xyzzy")
    assert isinstance(result, Problems)
    assert [one.line for one in result.problems] == ["#clsoe", "#asign x", "#xyzzy", "#take"]
    flood = parse_commands("#x\n" * 1000 + "Hello\n" + "#take\n" * 1000 + "Bye")
    assert isinstance(flood, Problems)
    assert len(flood.problems) == 20


@pytest.mark.parametrize("text", ["", "\n", " \n\u00a0\n"])
def test_a_mail_without_text_has_no_commands(text: str) -> None:
    assert parse_commands(text) == Commands(False, (), "")


def test_line_breaks_of_every_kind_end_a_line() -> None:
    assert understood("#close\r\nHello\rAnn\u2028#tag a") == ([("close", ""), ("tag", "a")], "Hello\nAnn")
    assert isinstance(parse_commands("Hello\u2028#close\u2029Bye"), Problems)


@pytest.mark.parametrize("line", ["/close", "@close", "!close", "@assign bob", "/Note  for us", "@CLOSE"])
def test_a_command_as_other_desks_write_it_stops_the_mail_where_commands_stand(line: str) -> None:
    for text in (line, f"{line}\nHello", f"Hello\n\n{line}\n", f"#tag a\n{line}\nHello\n#tag b"):
        result = parse_commands(text)
        assert isinstance(result, Problems), text
        assert [(one.line, one.nearest) for one in result.problems] == [
            (line, f"#{line[1:].split()[0].casefold()}")
        ]
    assert isinstance(parse_commands(f"Hello\n{line}\nHello"), Commands)


def test_a_note_may_speak_to_the_team() -> None:
    result = parse_commands("#note\n@team who knows this?")
    assert isinstance(result, Commands)
    assert result.body == "@team who knows this?"


def test_another_prefix_can_be_chosen() -> None:
    result = parse_commands("/close\n#wonderful is text now\n／assign bob", prefix="/")
    assert isinstance(result, Commands)
    assert [one.name for one in result.commands] == [CommandName.CLOSE, CommandName.ASSIGN]
    assert result.body == "#wonderful is text now"


@pytest.mark.parametrize("prefix", ["", "a", "1", " ", "# ", "#a"])
def test_a_prefix_that_is_text_raises(prefix: str) -> None:
    with pytest.raises(ValueError):
        parse_commands("x", prefix=prefix)


WORDS = st.sampled_from(
    (
        *("#close", "#note", "#assign bob", "#clsoe", "Hello", "", " ", "> ", "*", "# ", "\u200b", "＃take"),
        *("#tag a", "#1", "\u00a0", "\\", "-- ", "##", "#", "close", "\x0b", "\x1c", "\u2028", "\r", "-"),
        *("\n", "\n", "\n", "\n"),
    )
)


@settings(max_examples=500, deadline=None)
@given(st.lists(WORDS, max_size=15).map("".join) | st.text(alphabet=st.characters(codec=None)))
@example("#note \u2028#close")
@example("#note ＃close")
@example("#note\n\x1f#close")
@example("\u200b\n#close\u200b\n\u200bHello\n\ufeff#close\n\u200b")
def test_no_text_that_may_be_sent_holds_a_command_line(text: str) -> None:
    result = parse_commands(text)
    if isinstance(result, Problems):
        assert 0 < len(result.problems) <= 20
        return
    assert parse_commands(result.body) == Commands(False, (), result.body)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=15).map("".join), st.sampled_from(LINES_THAT_STOP_THE_MAIL))
def test_nothing_written_beside_it_lets_a_wrong_line_through(
    text: str, wrong: tuple[str, str | None]
) -> None:
    assert isinstance(parse_commands(f"{wrong[0]}\n{text}"), Problems)
    assert isinstance(parse_commands(f"{text}\n{wrong[0]}"), Problems)
