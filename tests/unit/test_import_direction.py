"""The architecture of design.md as far as imports show it: contracts in pyproject.toml, held here."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "mailticket"
_RUN = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _RUN], cwd=folder, capture_output=True, text=True, check=False
    )


def test_every_import_contract_is_kept() -> None:
    result = _lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("mail/bad.py", "import mailticket.domain"),
        ("domain/bad.py", "import mailticket.store"),
        ("domain/bad.py", "def late() -> None:\n    import sqlalchemy"),
        ("mail/bad.py", "from socket import socket"),
        ("intake/bad.py", "import mailticket.delivery"),
        ("intake/bad.py", "from mailticket.store import engine"),
        ("delivery/bad.py", "from mailticket.store import ports"),
        ("store/bad.py", "import mailticket.work"),
        ("config/bad.py", "import mailticket.mail"),
        ("work/bad.py", "import mailticket.cli"),
    ],
)
def test_an_import_in_the_wrong_direction_breaks_a_contract(tmp_path: Path, file: str, line: str) -> None:
    for name in ("cli", "work", "intake", "delivery", "store", "domain", "mail", "config"):
        (tmp_path / "mailticket" / name).mkdir(parents=True)
        (tmp_path / "mailticket" / name / "__init__.py").touch()
    for name in ("__init__.py", "errors.py", "store/ports.py", "store/engine.py"):
        (tmp_path / "mailticket" / name).touch()
    (tmp_path / "mailticket" / "intake" / "good.py").write_text("from mailticket.store import ports\n")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert _lint(tmp_path).returncode == 0
    (tmp_path / "mailticket" / file).write_text(f"{line}\n")
    result = _lint(tmp_path)
    assert result.returncode != 0
    assert "BROKEN" in result.stdout


def test_configuration_imports_little() -> None:
    allowed = {
        "pydantic",
        "pydantic_core",
        "email_validator",
        "holidays",
        "mailticket.config",
        "mailticket.errors",
    }
    for file, tree in _modules("config"):
        for name in _imported(tree):
            top = ".".join(name.split(".")[:2]) if name.startswith("mailticket") else name.split(".")[0]
            assert top in allowed or top in sys.stdlib_module_names, f"{file} imports {name}"


@pytest.mark.parametrize("part", ["mail", "domain"])
def test_the_pure_core_never_asks_the_clock(part: str) -> None:
    for file, tree in _modules(part):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
                asks = node.func.attr in ("utcnow", "today") or (owner, node.func.attr) in {
                    ("datetime", "now"),
                    ("time", "time"),
                    ("time", "monotonic"),
                    ("time", "perf_counter"),
                    ("time", "localtime"),
                    ("time", "gmtime"),
                }
                assert not asks, f"{file}:{node.lineno} asks the clock"


def _modules(part: str) -> Iterator[tuple[str, ast.Module]]:
    files = sorted((PACKAGE / part).rglob("*.py"))
    assert files
    for file in files:
        yield str(file.relative_to(ROOT)), ast.parse(file.read_text(encoding="utf-8"))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
