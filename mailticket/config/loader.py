"""From a directory of TOML files and the environment to `Settings`, or to every mistake at once.

The stages: read and join the files (`document`), put in what the environment says (`environment`),
fetch the secrets (`secrets`), validate each section (`validate`), then all of them together
(`references`). A stage notes mistakes and goes on, so that one run shows all of them.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import SecretStr

from mailticket.config.document import lay_over, read_directory
from mailticket.config.environment import apply_environment
from mailticket.config.problems import ConfigurationError, Problem
from mailticket.config.references import check_references
from mailticket.config.secrets import SHORTEST_KEY, UNUSABLE, ensure_secret_key, resolve_secrets
from mailticket.config.settings import Settings
from mailticket.config.validate import NO_KEY_YET, Draft, complete_document, validate

_log = logging.getLogger(__name__)


def _log_warning(problem: Problem) -> None:
    _log.warning("%s", problem)


def load(
    directory: Path,
    environ: Mapping[str, str],
    *,
    create_secret: bool = False,
    warn: Callable[[Problem], None] = _log_warning,
    overlay: Path | None = None,
) -> Settings:
    """Load and check the configuration in `directory`.

    environ        usually os.environ; MAILTICKET_SECTION__OPTION overrides the files
    create_secret  without a configured secret key, make one in {state_dir}/secret.key (the daemon
                   does); else an existing file is used, and without one a key that lasts as long as
                   the process, which is right for commands that send nothing
    warn           hears what is doubtful but no mistake; by default it is logged
    overlay        a TOML file laid over the directory, to try out other plans, schedules or rules

    Every path and the database URL of the result are absolute. Raises `ConfigurationError` with all
    mistakes; neither it nor the result's repr shows a secret.
    """
    directory = directory.absolute()
    root = directory.parent
    document = read_directory(directory)
    if overlay is not None:
        lay_over(document, overlay)
    apply_environment(document, environ)
    resolve_secrets(document, environ)
    complete_document(document)
    draft = validate(document, root)
    _check_key_length(draft)
    if document.complete:
        check_references(draft)
    for problem in document.warnings:
        warn(problem)
    if document.problems:
        raise ConfigurationError(sorted(document.problems, key=lambda problem: problem.file))
    return _settings(draft, create_secret=create_secret)


def _check_key_length(draft: Draft) -> None:
    key = draft.service.secret_key
    if key not in (NO_KEY_YET, UNUSABLE) and len(key.get_secret_value()) < SHORTEST_KEY:
        draft.document.report(
            ("service", "secret_key"),
            f"is shorter than {SHORTEST_KEY} characters",
            suggestion="`openssl rand -hex 32` makes one, or leave it out and one is made",
        )


def _settings(draft: Draft, *, create_secret: bool) -> Settings:
    service = draft.service
    if service.secret_key == NO_KEY_YET:
        file = service.state_dir / "secret.key"
        if create_secret or file.exists():
            key = ensure_secret_key(file)
        else:
            key = SecretStr(secrets.token_urlsafe(32))
        service = service.model_copy(update={"secret_key": key})
    return Settings.model_validate(
        {
            "service": service,
            "desk": draft.desk,
            "listeners": draft.entries["listeners"],
            "mailboxes": draft.entries["mailboxes"],
            "delivery": draft.delivery,
            "receive": draft.receive,
            "root": draft.root,
        }
    )
