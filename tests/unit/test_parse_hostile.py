"""No mail stops or slows the reading: each hostile mail costs under 2 s of CPU and 256 MB, and never raises.

The mails are read in a child process, so that its memory can be measured. CPU seconds, not wall time,
are compared: they hold on a loaded machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mailticket.mail.limits import DEFAULT_LIMITS
from mailticket.mail.parse import parse
from tests.unit.hostile_mails import HEAD, hostile_mails, mixed, nested

SHARED = Path(__file__).resolve().parents[3] / "shared" / "hostile" / "hostile.py"
CPU_SECONDS = 2.0
MEGABYTES = 256

CHILD = """
import json, pathlib, resource, sys, time
from mailticket.mail.parse import parse
from tests.unit.hostile_mails import hostile_mails

def mails():
    if sys.argv[1] == "own":
        yield from hostile_mails()
    else:
        for path in sorted(pathlib.Path(sys.argv[1]).glob("*.eml")):
            yield path.name, path.read_bytes()

parse(b"Content-Type: text/html\\n\\n<p>the libraries are loaded now</p>")
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name, raw in mails():
    start, error = time.process_time(), None
    try:
        sender = parse(raw).mail.sender.address
    except BaseException as exc:
        sender, error = None, repr(exc)[:200]
    cpu = time.process_time() - start
    print(json.dumps({"name": name, "cpu": cpu, "error": error, "sender": sender}))
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base
print(json.dumps({"grown_mb": grown / 1024}))
"""


def _read_all(source: str) -> tuple[list[dict[str, Any]], float]:
    """Read every mail of a source in a child: one result each, and the memory it grew by in MB."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, source],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        timeout=110,
    )
    *results, last = [json.loads(line) for line in done.stdout.splitlines()]
    return results, last["grown_mb"]


def _check(results: list[dict[str, Any]], grown_mb: float) -> None:
    assert [one for one in results if one["error"]] == []
    assert [one for one in results if one["cpu"] >= CPU_SECONDS] == []
    assert grown_mb < MEGABYTES


def test_our_own_hostile_mails_are_read_within_bounds() -> None:
    results, grown_mb = _read_all("own")
    assert len(results) >= 60
    _check(results, grown_mb)


def test_the_shared_hostile_mails_are_read_within_bounds(tmp_path: Path) -> None:
    if not SHARED.exists():
        pytest.skip("the shared hostile set is not on this machine")
    subprocess.run([sys.executable, str(SHARED), str(tmp_path)], check=True, capture_output=True, timeout=60)
    results, grown_mb = _read_all(str(tmp_path))
    _check(results, grown_mb)
    expected = dict(line.split("\t")[:3:2] for line in (tmp_path / "INDEX.tsv").read_text().splitlines()[1:])
    trusted = [
        one["name"] for one in results
        if one["name"].startswith("addr__") and "kept+nocommand" in expected[one["name"]] and one["sender"]
    ]  # fmt: skip
    assert trusted == []


@pytest.mark.parametrize("name", ["from-open-comments", "from-quotes", "from-quoted-pairs", "from-angles"])
def test_a_hostile_from_grants_no_identity(name: str) -> None:
    raw = dict(hostile_mails())[name]
    assert parse(raw).mail.sender.address is None


def _codes(raw: bytes) -> set[str]:
    return {defect.code for defect in parse(raw).mail.defects}


@pytest.mark.parametrize(
    ("code", "within", "beyond"),
    [
        (
            "header-cut",
            HEAD + b"X-A: " + b"a" * (DEFAULT_LIMITS.header_value - 1) + b"\r\n\r\n",
            HEAD + b"X-A: " + b"a" * (DEFAULT_LIMITS.header_value + 1) + b"\r\n\r\n",
        ),
        (
            "too-many-headers",
            HEAD + b"X-A: b\r\n" * (DEFAULT_LIMITS.header_count - 5) + b"\r\n",
            HEAD + b"X-A: b\r\n" * (DEFAULT_LIMITS.header_count - 4) + b"\r\n",
        ),
        (
            "too-many-received",
            HEAD + b"Received: x\r\n" * DEFAULT_LIMITS.received_count + b"\r\n",
            HEAD + b"Received: x\r\n" * (DEFAULT_LIMITS.received_count + 1) + b"\r\n",
        ),
        (
            "header-block-cut",
            HEAD + (b"X-A: " + b"a" * 993 + b"\r\n") * 255 + b"\r\n",
            HEAD + (b"X-A: " + b"a" * 993 + b"\r\n") * 257 + b"\r\n",
        ),
        (
            "too-many-parts",
            HEAD
            + b"Content-Type: multipart/mixed; boundary=B\r\n\r\n"
            + b"--B\r\n\r\nx\r\n" * 999
            + b"--B--",
            HEAD
            + b"Content-Type: multipart/mixed; boundary=B\r\n\r\n"
            + b"--B\r\n\r\nx\r\n" * 1000
            + b"--B--",
        ),
        (
            "too-many-addresses",
            HEAD + b"Cc: " + b",".join(b"c%d@x.example" % i for i in range(498)) + b"\r\n\r\n",
            HEAD + b"Cc: " + b",".join(b"c%d@x.example" % i for i in range(499)) + b"\r\n\r\n",
        ),
        (
            "nested-too-deeply",
            nested(DEFAULT_LIMITS.nesting, b"x"),
            nested(DEFAULT_LIMITS.nesting + 1, b"x"),
        ),
        (
            "too-many-attachments",
            mixed(*[b"Content-Type: image/png\r\n\r\nx"] * DEFAULT_LIMITS.attachments),
            mixed(*[b"Content-Type: image/png\r\n\r\nx"] * (DEFAULT_LIMITS.attachments + 1)),
        ),
        (
            "html-not-shown",
            HEAD + b"Content-Type: text/html\r\n\r\n" + b"x" * DEFAULT_LIMITS.html,
            HEAD + b"Content-Type: text/html\r\n\r\n" + b"x" * (DEFAULT_LIMITS.html + 1),
        ),
        (
            "text-cut",
            HEAD + b"\r\n" + b"x" * DEFAULT_LIMITS.text,
            HEAD + b"\r\n" + b"x" * (DEFAULT_LIMITS.text + 1),
        ),
    ],
)
def test_a_bound_holds_at_its_limit_and_one_beyond(code: str, within: bytes, beyond: bytes) -> None:
    assert code not in _codes(within)
    assert code in _codes(beyond)
