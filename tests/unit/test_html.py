"""HTML to text, and to HTML that is safe to show."""

from __future__ import annotations

import pytest

from mailticket.mail.html import html_to_text, sanitize, strip_tags, text_to_html, too_deep
from mailticket.mail.limits import DEFAULT_LIMITS


def _text(html: str) -> str:
    text = html_to_text(html, DEFAULT_LIMITS)
    assert text is not None
    return text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<p>a &amp; b&nbsp;c</p>", "a & b c"),
        ("<ul><li>a</li><li>b</li></ul>", "  • a\n  • b"),
        ("<ol><li>a</li><li>b</li></ol>", "  1. a\n  2. b"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a\t\tb"),
        ('<a href="https://x.example/a">name</a>', "name (https://x.example/a)"),
        ('<a href="https://x.example/a">https://x.example/a</a>', "https://x.example/a"),
        ('<a href="https://x.example/">x.example</a>', "x.example"),
        ('<a href="mailto:a@x.example">a@x.example</a>', "a@x.example"),
        ('<a href="javascript:alert(1)">name</a>', "name"),
        ('<a name="top">name</a> and f ()', "name and f ()"),
        ('<a href="#top" class="x">name</a>', "name"),
        ("<A HREF=''>name</A>", "name"),
        ("<a class=x href=https://x.example/a>name</a>", "name (https://x.example/a)"),
        ("<pre>  a\n   b</pre>", "  a\n   b"),
        ("<script>x()</script><style>p{}</style><title>t</title>shown", "shown"),
        ("<!-- c -->shown<!--[if mso]>hidden<![endif]-->", "shown"),
        ('<div style="display:none">x</div>shown', "shown"),
        ('<div style="color:red; DISPLAY: NONE;">x</div>shown', "shown"),
        ('<span style="visibility:hidden">x</span>shown', "shown"),
        ('<div style="mso-hide:all">x</div>shown', "shown"),
        ('<div style="max-height:0px;overflow:hidden">x</div>shown', "shown"),
        ('<span style="font-size:0px">x</span>shown', "shown"),
        ("<p hidden>x</p>shown", "shown"),
        ('<td style="font-size:0px"><span style="font-size:13px">shown</span></td>', "shown"),
        ('<p style="font-size:0.9em">shown</p>', "shown"),
        ('above<hr width="98%">below', "above\n________________________________\nbelow"),
        ("", ""),
        ("no tags at all", "no tags at all"),
        ("<p>unclosed <b>bold", "unclosed bold"),
    ],
)
def test_html_becomes_text(html: str, text: str) -> None:
    assert _text(html) == text


def test_deep_html_keeps_its_text() -> None:
    assert _text("<div>" * 10_000 + "deep") == "deep"


@pytest.mark.parametrize(
    "payload",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        '<img src="https://track.example/p.gif">',
        '<img src="//track.example/p.gif">',
        '<img src="cid:../../x">',
        '<svg onload="alert(1)"></svg>',
        '<a href="javascript:alert(1)">x</a>',
        '<a href="jav&#x09;ascript:alert(1)">x</a>',
        '<a href="data:text/html,alert(1)">x</a>',
        '<div style="background:url(https://track.example/)">x</div>',
        '<div style="background-image:u\\72l(https://track.example/)">x</div>',
        '<div style="width:expression(alert(1))">x</div>',
        '<div style="position:fixed;top:0">x</div>',
        "<style>@import 'https://track.example/x.css'</style>",
        '<link rel="stylesheet" href="https://track.example/x.css">',
        '<iframe src="https://evil.example"></iframe>',
        '<form action="https://evil.example"><input name="pw"></form>',
        '<meta http-equiv="refresh" content="0;url=https://evil.example">',
        '<base href="https://evil.example/">',
        '<body background="https://track.example/b.gif">x</body>',
        '<video src="https://track.example/v.mp4" poster="https://track.example/p.png"></video>',
        '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
        '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img onerror=alert(1)&gt;">',
    ],
)
def test_sanitised_html_is_inert_and_loads_nothing(payload: str) -> None:
    cleaned = sanitize(f"<p>before</p>{payload}<p>after</p>", DEFAULT_LIMITS)
    assert cleaned is not None
    lowered = cleaned.lower()
    for word in ("<script", "onerror=", "onload=", "javascript:", "data:", "url(", "expression", "position"):
        assert word not in lowered.replace("&lt;img onerror=", "")
    for word in (
        "track.example",
        "<iframe",
        "<form",
        "<input",
        "<meta",
        "<base",
        "<link",
        "<style",
        "<svg",
        "../",
    ):
        assert word not in lowered
    assert "before" in cleaned


def test_sanitised_html_keeps_what_mail_needs() -> None:
    html = (
        '<table border="1"><tr><td colspan="2" style="color: red">x</td></tr></table>'
        '<img src="cid:a@b" alt="logo"><a href="https://x.example/">link</a>'
        '<blockquote type="cite">q</blockquote>'
    )
    cleaned = sanitize(html, DEFAULT_LIMITS)
    assert cleaned is not None
    for kept in (
        'colspan="2"',
        "color:",
        'src="cid:a@b"',
        'href="https://x.example/"',
        'rel="noopener',
        "cite",
    ):
        assert kept in cleaned


def test_an_entity_cannot_smuggle_a_control_in() -> None:
    assert sanitize("a&#4;&#27;[2Jb", DEFAULT_LIMITS) == "a\ufffd\ufffd[2Jb"


def test_html_beyond_the_bounds_is_refused() -> None:
    assert html_to_text("<p>" * (DEFAULT_LIMITS.html_tags + 1), DEFAULT_LIMITS) is None
    assert sanitize("x" * (DEFAULT_LIMITS.html + 1), DEFAULT_LIMITS) is None


def test_depth_is_measured_not_guessed_from_size() -> None:
    depth = DEFAULT_LIMITS.html_depth
    assert not too_deep("<p>x</p>" * 10_000, DEFAULT_LIMITS)
    assert not too_deep("<br>" * 10_000, DEFAULT_LIMITS)
    assert not too_deep("<div>" * depth, DEFAULT_LIMITS)
    assert too_deep("<div>" * (depth + 1), DEFAULT_LIMITS)


def test_text_and_tags_can_be_turned_into_each_other() -> None:
    assert strip_tags("<p>a</p> < b") == " a  < b"
    assert text_to_html("a < b") == '<div style="white-space: pre-wrap">a &lt; b</div>'
