"""From a template and a context to a mail: the shipped templates, and what no value may do to them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailticket.delivery.catalogue import CATALOGUE
from mailticket.delivery.context import context_of
from mailticket.delivery.digest_values import BarRow, Bars
from mailticket.delivery.filters import TEMPLATE_FILTERS
from mailticket.delivery.letter import Letter, Passage
from mailticket.delivery.render import Renderer, TemplateProblem, shipped_templates
from mailticket.delivery.sample_parts import sample_ticket
from mailticket.delivery.samples import SAMPLES, check_templates
from mailticket.domain.digest_mail import DigestMail, DigestPart

GOLDEN = Path(__file__).parent / "golden"
_NEED_AN_ENTRY = ("ticket.reply", "ticket.digest", "ticket.activity.notice")
RENDERER = Renderer()

INJECTIONS = [
    "**bold** _em_ `code` ~~gone~~",
    "[click](javascript:alert(1)) ![x](http://evil.example/a.png)",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "{{ 7*7 }} {% for x in range(10**9) %}x{% endfor %} {# c #}",
    "${7*7} %{ticket.number} #{7*7}",
    "# heading\n\n- item\n\n> quote\n\n    code\n\n---",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "&lt;b&gt; &amp; \"quoted\" 'single' </div></body>",
    "\\*escaped\\* <http://evil.example> www.evil.example",
    "a\ue0000\ue001b \ue00099\ue001",
    "nul \0 bell \a esc \x1b[31m red",
    "\ud800 lone surrogate",
]


class Skeleton(HTMLParser):
    """Tags with their attributes, and the text between them, of an HTML page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(sorted(name for name, _ in attrs))))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def of_one_line(letter: Letter, value: str) -> Letter:
    """The letter with `value` in every text of its ticket and persons."""
    ticket = letter.ticket or sample_ticket()
    changed = {f.name: value for f in fields(ticket) if isinstance(getattr(ticket, f.name), str)}
    return replace(
        letter,
        ticket=replace(ticket, **changed),  # type: ignore[arg-type]  # only text fields are in it
        recipient=replace(letter.recipient, name=value),
        company=value,
        reason=value,
        assigner=value,
    )


@pytest.mark.parametrize("code", SAMPLES)
def test_the_text_part_reads_as_agreed(code: str) -> None:
    rendered = RENDERER.render(code, "en", context_of(SAMPLES[code]()))
    shown = f"Subject: {rendered.subject}\n\n{rendered.text}"
    golden = GOLDEN / f"{code}.txt"
    if os.environ.get("MAILTICKET_WRITE_GOLDEN"):  # then read what it wrote
        golden.write_text(shown, encoding="utf-8")
    assert golden.exists(), f"MAILTICKET_WRITE_GOLDEN=1 writes {golden}; read it"
    assert shown == golden.read_text(encoding="utf-8")


def test_every_template_has_a_sample_and_a_file_and_the_other_way_round() -> None:
    shipped = {path.stem for path in (shipped_templates() / "en").glob("[!_]*.md")}
    assert shipped == set(SAMPLES) == set(CATALOGUE)


def test_the_shipped_templates_pass_the_check() -> None:
    assert list(check_templates(RENDERER)) == []


@pytest.mark.parametrize("code", SAMPLES)
def test_no_line_of_ours_is_wider_than_76_columns(code: str) -> None:
    text = RENDERER.render(code, "en", context_of(SAMPLES[code]())).text
    foreign = SAMPLES[code]().response
    ours = [line for line in text.splitlines() if not line.startswith(">")]
    if SAMPLES[code]().canned:
        ours = [line for line in ours if line not in SAMPLES[code]().canned.splitlines()]
    if foreign is not None:
        ours = [line for line in ours if line not in foreign.text.splitlines()]
    assert [line for line in ours if len(line) > 76 and not line.startswith("  mailto:")] == []


@pytest.mark.parametrize("code", SAMPLES)
def test_a_page_fetches_nothing_and_runs_nothing(code: str) -> None:
    page = RENDERER.render(code, "en", context_of(SAMPLES[code]())).html
    tags = {tag for tag, _ in Skeleton(page).tags}
    assert tags <= {
        "html", "head", "meta", "title", "style", "body", "div", "p", "br", "h2",
        "ul", "li", "table", "tr", "th", "td", "a",
    }  # fmt: skip
    assert all(link.startswith("mailto:") for link in re.findall(r'href="([^"]*)"', page))
    assert "http:" not in page
    assert "https:" not in page
    assert "url(" not in page


@pytest.mark.parametrize("code", SAMPLES)
@pytest.mark.parametrize("value", INJECTIONS)
def test_one_line_values_are_never_markup_nor_template(code: str, value: str) -> None:
    calm = RENDERER.render(code, "en", context_of(of_one_line(SAMPLES[code](), "calm")))
    wild = RENDERER.render(code, "en", context_of(of_one_line(SAMPLES[code](), value)))
    assert Skeleton(wild.html).tags == Skeleton(calm.html).tags
    assert "49" not in wild.text.replace("49", "", calm.text.count("49"))
    assert len(wild.subject.splitlines()) == 1
    assert wild.subject.isprintable()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\ue000\ue001\ud800-\udfff]", wild.text + wild.html)


@pytest.mark.parametrize("value", INJECTIONS)
def test_a_message_is_shown_word_for_word(value: str) -> None:
    letter = replace(SAMPLES["ticket.alert"](), message=Passage(value, "Erika Muster"), actions=())
    rendered = RENDERER.render("ticket.alert", "en", context_of(letter))
    inside = Skeleton(rendered.html).words
    words = [word for word in value.split() if word.isprintable() and "\ue000" not in word]
    for word in words:
        assert word in rendered.text
        assert any(word in piece for piece in inside)
    tags = {tag for tag, _ in Skeleton(rendered.html).tags}
    assert not tags & {"script", "img", "a", "b", "strong", "em", "code", "h1", "ul", "li"}


def test_an_answer_goes_out_word_for_word_and_without_marks() -> None:
    answer = (
        "Line one\n  indented   wide\n\nA very long line " + "x " * 100 + "end\n> quoted by hand\n#5 is fine"
    )
    letter = replace(SAMPLES["ticket.reply"](), response=Passage(answer, "Anna Agent"))
    rendered = RENDERER.render("ticket.reply", "en", context_of(letter))
    assert "\n".join(line.rstrip() for line in answer.splitlines()) in rendered.text
    assert "&nbsp; indented&nbsp;&nbsp; wide" in rendered.html


def test_the_customer_reads_nothing_internal() -> None:
    letter = replace(
        SAMPLES["ticket.reply"](),
        note=Passage("INTERNAL", "INTERNAL"),
        message=Passage("INTERNAL", "INTERNAL"),
        comments="INTERNAL",
        reason="INTERNAL",
        assigner="INTERNAL",
    )
    for code in ("ticket.reply", "ticket.autoresp", "message.autoresp"):
        rendered = RENDERER.render(code, "en", context_of(letter))
        assert "INTERNAL" not in rendered.subject + rendered.text + rendered.html


def test_an_acknowledgement_carries_no_live_link_and_no_foreign_text() -> None:
    subject = "Claim your prize at https://evil.example/win or WWW.evil.example, mail bob@evil.example " * 3
    letter = SAMPLES["ticket.autoresp"]()
    letter = replace(
        letter,
        ticket=sample_ticket(subject=subject, name="Visit http://evil.example"),
        recipient=replace(letter.recipient, name="Visit http://evil.example"),
        message=Passage("BODY", "BODY"),
    )
    for code in ("ticket.autoresp", "message.autoresp"):
        rendered = RENDERER.render(code, "en", context_of(letter))
        everything = rendered.subject + rendered.text + rendered.html.partition("<body")[2]
        assert "evil.example" not in everything
        assert "http://" not in everything
        assert "https://" not in everything
        assert "BODY" not in everything
        assert len(rendered.subject) <= len("Re:  [#20261103-0001]") + 100


@pytest.mark.parametrize("before", ["", "Re: ", "AW: Re: ", "Fwd: RE[2]: ", "re:re:re:"])
def test_all_mails_of_one_ticket_share_one_subject(before: str) -> None:
    ticket = sample_ticket(subject=f"{before}Invoice 17")
    alerts: set[str] = set()
    customer: set[str] = set()
    for code, sample in SAMPLES.items():
        letter = sample()
        if letter.ticket is None:
            continue
        subject = RENDERER.render(code, "en", context_of(replace(letter, ticket=ticket))).subject
        (customer if CATALOGUE[code].audience == "customer" else alerts).add(subject)
    assert alerts == {"[#20261103-0001] Invoice 17"}
    assert customer == {"Re: Invoice 17 [#20261103-0001]"}


def test_a_long_subject_keeps_the_ticket_number() -> None:
    letter = replace(SAMPLES["ticket.reply"](), ticket=sample_ticket(subject="long " * 200))
    subject = RENDERER.render("ticket.reply", "en", context_of(letter)).subject
    assert subject.endswith("… [#20261103-0001]")
    assert len(subject) <= 200


def test_a_mail_that_can_be_answered_starts_with_the_marker_and_ends_with_the_token() -> None:
    letter = SAMPLES["ticket.alert"]()
    rendered = RENDERER.render("ticket.alert", "en", context_of(letter))
    assert letter.reply is not None
    marker, token = letter.reply
    assert rendered.text.splitlines()[0] == marker
    assert rendered.text.splitlines()[-1] == f"[mt:{token}]"
    assert (
        rendered.html.index(marker) < rendered.html.index("New ticket") < rendered.html.index(f"[mt:{token}]")
    )
    bare = RENDERER.render("ticket.alert", "en", context_of(replace(letter, reply=None)))
    assert marker not in bare.text + bare.html
    assert "[mt:" not in bare.text + bare.html


def test_times_are_read_in_the_zone_of_the_reader() -> None:
    letter = replace(SAMPLES["ticket.alert"](), zone="America/New_York")
    assert (
        "Tue 3 Nov 2026, 12:00 EST (in 3 h 20 min)"
        in RENDERER.render("ticket.alert", "en", context_of(letter)).text
    )


def test_a_digest_of_many_tickets_stays_one_mail() -> None:
    letter = SAMPLES["ticket.digest"]()
    part = letter.digest.departments[0]
    many = replace(part, open=part.open * 2000, more_open=3000)
    whole = replace(letter, digest=replace(letter.digest, departments=(many,)))
    text = RENDERER.render("ticket.digest", "en", context_of(whole)).text
    assert text.count("20261103-0004") == 2000
    assert "and 3000 more." in text


def test_an_empty_digest_says_so_in_one_line() -> None:
    letter = replace(SAMPLES["ticket.digest"](), digest=DigestMail((DigestPart("Support"),)))
    rendered = RENDERER.render("ticket.digest", "en", context_of(letter))
    assert rendered.subject == "nothing open: Example Bank, Tue 3 Nov 2026"
    assert rendered.text == "Hello Mara Manager, nothing is overdue and nothing is open.\n"


def test_bars_are_to_one_scale_and_nothing_shows_as_nothing() -> None:
    bars = Bars(
        tuple(
            BarRow("a bar", count, late, str(count))
            for count, late in ((0, 0), (1, 0), (1, 1), (900, 1), (900, 899), (900, 900))
        )
    )
    drawn = [line[7:35].strip() for line in bars.lines()]
    assert drawn == ["", "=", "#", "#" + "=" * 27, "#" * 27 + "=", "#" * 28]
    assert bars.html(block=True).count('bgcolor="#c0392b"') == 4


def test_a_message_as_long_as_an_entry_may_be_still_comes_through() -> None:
    text = ("x" * 99 + "\n") * 10_000
    answer = replace(SAMPLES["ticket.reply"](), response=Passage(text, "Anna Agent"))
    assert RENDERER.render("ticket.reply", "en", context_of(answer)).text.count("x" * 99) == 10_000
    alert = replace(SAMPLES["ticket.alert"](), message=Passage(text, "Erika Muster"))
    shortened = RENDERER.render("ticket.alert", "en", context_of(alert)).text
    assert "[…]" in shortened
    assert len(shortened) < 30_000


@settings(max_examples=60, deadline=None)
@given(value=st.text(max_size=200))
def test_no_text_of_any_kind_breaks_a_mail(value: str) -> None:
    for code, sample in SAMPLES.items():
        letter = of_one_line(sample(), value)
        letter = replace(
            letter, message=Passage(value, value), response=Passage(value, value), signature=value
        )
        rendered = RENDERER.render(code, "en", context_of(letter))
        (rendered.subject + rendered.text + rendered.html).encode("utf-8")
        assert rendered.subject
        assert "\n" not in rendered.subject
        assert "\r" not in rendered.text


@pytest.mark.parametrize("code", [code for code in SAMPLES if code not in _NEED_AN_ENTRY])
def test_a_mail_about_nothing_but_a_ticket_is_still_a_mail(code: str) -> None:
    letter = replace(SAMPLES[code](), message=None, response=None, note=None, signature="", problems=())
    text = RENDERER.render(code, "en", context_of(letter)).text
    assert not text.startswith("\n")
    assert "\n\n\n" not in text


def test_a_message_without_text_is_said_to_have_none() -> None:
    letter = replace(SAMPLES["message.alert"](), message=Passage("", "Erika Muster", None, ("fax.tiff",)))
    text = RENDERER.render("message.alert", "en", context_of(letter)).text
    assert "Erika Muster wrote:\n\n(The mail holds no text.)\n\nWith 1 attachment: fax.tiff\n" in text


def site(tmp_path: Path, source: str, name: str = "ticket.autoresp", language: str = "en") -> Renderer:
    (tmp_path / language).mkdir(parents=True, exist_ok=True)
    (tmp_path / language / f"{name}.md").write_text(source, encoding="utf-8")
    return Renderer([tmp_path])


def render(tmp_path: Path, source: str, context: Mapping[str, Any] | None = None) -> tuple[str, str, str]:
    rendered = site(tmp_path, source).render("ticket.autoresp", "en", context or {})
    return (
        rendered.subject,
        rendered.text,
        rendered.html.partition('break-word">')[2].partition("</div>\n</body>")[0].strip(),
    )


def test_markdown_of_the_template_becomes_html_with_inline_styles(tmp_path: Path) -> None:
    source = "Subject: s\n\n## Head {{ x }}\n\nSome *weight* for {{ x }}.\n\n- one\n- {{ x }}\n\n<b>&amp;\n"
    _, text, html = render(tmp_path, source, {"x": "*v* <i>"})
    assert (
        text == "Head *v* <i>\n------------\n\nSome *weight* for *v* <i>.\n\n- one\n- *v* <i>\n\n<b>&amp;\n"
    )
    assert '<p style="margin:0 0 16px">Some <em>weight</em> for *v* &lt;i&gt;.</p>' in html
    assert "&lt;b&gt;&amp;amp;" in html
    assert re.search(r'<h2 style="[^"]+">Head \*v\* &lt;i&gt;</h2>', html)
    assert "<li" in html


@pytest.mark.parametrize(
    ("source", "text", "html"),
    [
        ("{{ x }}", "a\n\nb", '<p style="margin:0 0 12px">a</p><p style="margin:0 0 0px">b</p>'),
        ("so: {{ x }}", "so: a b", "so: a b"),
        ("so:\n{{ x | quote }}\nend", "so:\n\n> a\n>\n> b\n\nend", "border-left"),
        ("so: {{ x | block }}", "so:\n\na\n\nb", '<p style="margin:0 0 12px">a</p>'),
    ],
)
def test_a_value_of_several_lines_keeps_them_where_it_stands_alone(
    tmp_path: Path, source: str, text: str, html: str
) -> None:
    _, got_text, got_html = render(tmp_path, f"Subject: s\n\n{source}\n", {"x": "a\n\nb"})
    assert got_text == text + "\n"
    assert html in got_html


def test_a_value_cannot_fake_the_line_to_reply_above(tmp_path: Path) -> None:
    name = "Erika\n-- Please reply above this line --\n[mt:aaaa]"
    _, text, _ = render(tmp_path, "Subject: s\n\nHello {{ x }},\n", {"x": name})
    assert text == "Hello Erika -- Please reply above this line -- [mt:aaaa],\n"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{{ 'a' * 1000000000 }}", "Mul"),
        ("{{ 9 ** 9 ** 9 }}", "Pow"),
        ("{{ '%1000000000d' % 1 }}", "Mod"),
        ("{{ 'x'.center(1000000000) }}", "Call"),
        ("{{ x.__class__.__mro__ }}", "attribute '__class__'"),
        ("{{ t.items }}", "t.items is not given"),
        ("{{ t['__class__'] }}", "t.__class__ is not given"),
        ("{{ x | attr('__class__') }}", "No filter named 'attr'"),
        ("{{ x | safe }}", "No filter named 'safe'"),
        ("{{ x | center(1000000000) }}", "No filter named 'center'"),
        ("{{ x | format }}", "No filter named 'format'"),
        ("{{ cycler('a') }}", "Call"),
        ("{{ range(9) }}", "Call"),
        ("{{ lipsum }}", "'lipsum' is undefined"),
        ("{{ self }}", "undefined|TemplateReference|has no text"),
        ("{% set a = x %}", "Assign"),
        ("{% macro m() %}{% endmacro %}", "Macro"),
        ("{% import 'x' as y %}", "Import"),
        ("{% extends 'x' %}", "Extends"),
        ("{% include '../../etc/passwd' %}", "partial"),
        ("{% include '/etc/passwd' %}", "partial"),
        ("{% include '_../x.md' %}", "partial"),
        ("{% include x %}", "written out"),
        ("{% include '_none.md' %}", "there is no template _none.md"),
        ("{% for a in x recursive %}{{ loop(a) }}{% endfor %}", "recursive|Call"),
        ("{{ x ~ x }}", "Concat"),
        ("{{ x + x }}", "numbers"),
        ("{{ x", "unexpected|end of"),
        ("{{ missing }}", "'missing' is undefined"),
        ("{{ t.missing }}", "t.missing is not given"),
        ("{{ t.a.b }}", "has no attribute 'b'|'b'"),
        ("{{ l.nope }}", "nope"),
        ("{{ none }}", "no text of its own"),
        ("{{ t }}", "no text of its own"),
        ("{{ l }}", "no text of its own"),
        ("[x]({{ x }})", "address of a link"),
        ("", "body is empty"),
    ],
)  # fmt: skip
def test_what_the_template_language_refuses_is_named_with_its_file(
    tmp_path: Path, source: str, problem: str
) -> None:
    with pytest.raises(TemplateProblem, match=problem) as caught:
        render(tmp_path, f"Subject: s\n\n{source}\n", {"x": "v", "t": {"a": "b"}, "l": [1, 2]})
    assert "ticket.autoresp.md" in caught.value.file
    if caught.value.line is not None:
        assert caught.value.line == 3


@pytest.mark.parametrize(
    "source", ["", "\n\nno subject", "Subject:\n\nx", "Subject: {{ x | quote }}\n\nx", "Betreff: s\n\nx"]
)
def test_a_template_without_a_subject_is_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(TemplateProblem, match="first line must be"):
        render(tmp_path, source, {"x": "v"})


@pytest.mark.parametrize(
    "body",
    [
        "{% for a in l %}{% for b in l %}{% for c in l %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in l %}{% for b in l %}{% if loop.last %}{% endif %}{% endfor %}{% endfor %}",
        "{% for a in l if a > 1 %}{% for b in l %}{% endfor %}{% endfor %}",
    ],
)
def test_loops_run_out_of_fuel(tmp_path: Path, body: str) -> None:
    with pytest.raises(TemplateProblem, match="loop steps"):
        render(tmp_path, f"Subject: s\n\n{body}\n", {"l": list(range(9_000))})


@pytest.mark.parametrize("body", ["{{ x }}", "x" * 30_000, "{{ x | quote }}", "{{ [['a', x]] | facts }}"])
def test_output_is_capped(tmp_path: Path, body: str) -> None:
    with pytest.raises(TemplateProblem, match="longer than"):
        render(
            tmp_path,
            f"Subject: s\n\n{{% for a in l %}}{body}{{% endfor %}}\n",
            {"l": list(range(900)), "x": "y" * 18_000},
        )


def test_a_template_file_is_capped(tmp_path: Path) -> None:
    with pytest.raises(TemplateProblem, match="longer than"):
        render(tmp_path, "Subject: s\n\n" + "x" * 70_000)


@pytest.mark.parametrize(
    "value", [object(), b"bytes", {"deep": [[[[[[[[[1]]]]]]]]]}, list(range(20_000)), print]
)
def test_a_context_takes_plain_data_only(tmp_path: Path, value: object) -> None:
    with pytest.raises(TemplateProblem):
        render(tmp_path, "Subject: s\n\nbody\n", {"x": value})


def test_a_file_of_the_site_comes_before_the_shipped_one(tmp_path: Path) -> None:
    renderer = site(tmp_path, "Subject: ours\n\nOurs.\n")
    context = context_of(SAMPLES["ticket.autoresp"]())
    assert renderer.render("ticket.autoresp", "en", context).subject == "ours"
    assert renderer.render("message.autoresp", "en", context).subject != "ours"


@pytest.mark.parametrize(
    ("language", "subject", "spoken"),
    [
        ("de-AT", "Servus", "de-AT"),
        ("de-CH", "Hallo", "de"),
        ("de", "Hallo", "de"),
        ("DE_at", "Servus", "de-AT"),
        ("it", "Re:", "en"),
        ("", "Re:", "en"),
        ("../../etc", "Re:", "en"),
    ],
)
def test_a_language_falls_back_to_its_base_and_then_to_english(
    tmp_path: Path, language: str, subject: str, spoken: str
) -> None:
    site(tmp_path, "Subject: Servus\n\n{{ now }}\n", language="de-AT")
    renderer = site(tmp_path, "Subject: Hallo\n\n{{ now }}\n", language="de")
    rendered = renderer.render("ticket.autoresp", language, context_of(SAMPLES["ticket.autoresp"]()))
    assert rendered.subject.startswith(subject)
    assert rendered.language == spoken
    assert f'<html lang="{spoken}">' in rendered.html
    if spoken.startswith("de"):
        assert "Di. 3. Nov. 2026, 14:40 CET" in rendered.text


def test_a_partial_of_the_site_is_used_by_the_shipped_templates(tmp_path: Path) -> None:
    renderer = site(tmp_path, "OUR FACTS\n", name="_facts")
    assert "OUR FACTS" in renderer.render("ticket.alert", "en", context_of(SAMPLES["ticket.alert"]())).text


def test_a_layout_of_the_site_is_used_and_a_broken_one_named(tmp_path: Path) -> None:
    (tmp_path / "layout.html").write_text("<title>{{ subject }}</title>{{ body }}")
    context = context_of(SAMPLES["ticket.autoresp"]())
    assert Renderer([tmp_path]).render("ticket.autoresp", "en", context).html.startswith("<title>Re: Online")
    (tmp_path / "layout.html").write_text("\n{{ nothing }}")
    with pytest.raises(TemplateProblem, match=r"layout\.html:2: 'nothing' is undefined"):
        Renderer([tmp_path]).render("ticket.autoresp", "en", context)


def test_the_check_names_every_broken_template(tmp_path: Path) -> None:
    site(tmp_path, "Subject: s\n\n\n{{ ticket.colour }}\n")
    problems = list(check_templates(site(tmp_path, "Subject: s\n\n{% if %}\n", name="ticket.reply")))
    assert [(Path(problem.file).name, problem.line) for problem in problems] == [
        ("ticket.autoresp.md", 4),
        ("ticket.reply.md", 3),
    ]


@pytest.mark.parametrize("code", ["../ticket", "ticket/reply", "", "TICKET", "a" * 500, "no.such"])
def test_a_code_that_is_none_is_refused(code: str) -> None:
    with pytest.raises(TemplateProblem):
        RENDERER.render(code, "en", {})


def test_the_filters_do_as_documented(tmp_path: Path) -> None:
    now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    context = {
        "now": now, "zone": "Asia/Kathmandu", "command_prefix": "/", "soon": now + timedelta(minutes=1),
        "old": now - timedelta(days=2, hours=3, minutes=4), "n": 1, "e": "", "l": ["a", "b"],
        "rows": [{"a": "1", "b": None}],
    }  # fmt: skip
    expected = {
        "now": "Sun 1 Mar 2026, 17:45 UTC+0545",
        "now | date": "Sun 1 Mar 2026",
        "soon | relative": "in 1 min",
        "old | relative": "2 d 3 h ago",
        "old | since": "2 d 3 h",
        "old | due": "Fri 27 Feb 2026, 14:41 UTC+0545 (2 d 3 h ago)",
        "none | due | default('x', true)": "x",
        "'note' | command": "/note",
        "n | plural('ticket', 'tickets')": "1 ticket",
        "2 | plural('ticket', 'tickets')": "2 tickets",
        "n + 1": "2",
        "['A', 'a@b.example'] | person": "A <a@b.example>",
        "['', 'a@b.example'] | person": "a@b.example",
        "'abcdef' | short(4)": "abc…",
        "'abcdef' | cut(3)": "abc […]",
        "'Re: AW: x' | without_re": "x",
        "'Re: ' | without_re": "(no subject)",
        "'see HTTPS://a.example/x e.g. v1.2' | defang": "see HxxpS[:]//a[.]example/x e.g. v1.2",
        "l | join(', ')": "a, b",
        "[['k', 'v'], ['none', none], ['empty', e]] | facts": "k  v",
        "rows | table([['A', 'a'], ['B', 'b', '-']])": "A  B\n-  -\n1  -",
    }
    for expression, shown in expected.items():
        assert render(tmp_path, f"Subject: s\n\n{{{{ {expression} }}}}\n", context)[1] == shown + "\n", (
            expression
        )


def test_every_filter_is_documented() -> None:
    page = Path(__file__).parents[2] / "docs" / "templates.md"
    documented = page.read_text(encoding="utf-8")
    assert [name for name in TEMPLATE_FILTERS if f"`{name}" not in documented] == []
    assert [code for code in CATALOGUE if f"`{code}`" not in documented] == []
