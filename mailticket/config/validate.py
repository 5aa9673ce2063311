"""From the document to the models, section by section, so that one mistake hides no other."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, TypeVar

from pydantic import SecretStr, ValidationError

from mailticket.config import wording
from mailticket.config.desk import Department, Desk, Section
from mailticket.config.document import Document
from mailticket.config.paths import absolute, database_url
from mailticket.config.problems import Path, did_you_mean, mask_url
from mailticket.config.settings import Delivery, Listener, Mailbox, Receive, Service
from mailticket.config.shape import DESK_IN_SERVICE, KEYED, SINGLE, Keyed, Leaf, Node, Rows, Table, Top, shape
from mailticket.config.values import NotThis, key_mistake

NO_KEY_YET = SecretStr("")
"""Stands for a secret key that the configuration does not give."""

DEFAULT_PRIORITIES = {"low": 4, "normal": 3, "high": 2, "emergency": 1}
"""Key -> urgency, when no priority is written (osTicket's four)."""

_S = TypeVar("_S", bound=Section)


@dataclass
class Draft:
    """What of a configuration is valid by itself; entries with mistakes are left out.

    Once `document` has no problem, this is all of it. Paths are absolute.
    """

    document: Document
    root: FilePath
    service: Service
    desk: Desk | None = None
    entries: dict[str, dict[str, Section]] = field(default_factory=dict)
    rules: dict[int, Section] = field(default_factory=dict)
    delivery: Delivery | None = None
    receive: Receive | None = None


def complete_document(document: Document) -> None:
    """Take out what is unknown (and report it), and put in what follows from the rest."""
    _prune(document, (), document.tree, shape())
    tree = document.tree
    if "priorities" not in tree:
        tree["priorities"] = {
            key: {"name": key.capitalize(), "urgency": urgency} for key, urgency in DEFAULT_PRIORITIES.items()
        }
    departments = tree.get("departments", {})
    if len(departments) == 1:
        tree.setdefault("desk", {}).setdefault("default_department", next(iter(departments)))
    if not departments and document.complete:
        document.report(("departments",), "are missing: mail needs at least one to go to")


def validate(document: Document, root: FilePath) -> Draft:
    """Validate every section; mistakes are reported to the document."""
    draft = Draft(document, root, _service(document, root))
    shapes = shape().options
    for section in (*KEYED, "listeners", "mailboxes"):
        node = shapes[section]
        assert isinstance(node, Keyed)
        draft.entries[section] = _entries(draft, section, node.entry.model)
    rules = shapes["rules"]
    assert isinstance(rules, Rows)
    for index, row in enumerate(document.tree.get("rules", [])):
        rule = _validated(document, ("rules", index), rules.entry.model, row)
        if rule is not None:
            draft.rules[index] = rule
    draft.delivery = _delivery(draft)
    draft.receive = _validated(document, ("receive",), Receive, document.tree.get("receive", {}))
    draft.desk = _desk(draft)
    return draft


def _prune(document: Document, path: Path, written: dict[str, Any], node: Table | Top) -> None:
    for key in list(written):
        option = node.options.get(key)
        here = (*path, key)
        if option is None:
            what = "is not a known option" if path else "is not a known section"
            document.report(here, what, suggestion=did_you_mean(key, node.options))
            del written[key]
        elif not _prune_below(document, here, written[key], option):
            del written[key]


def _prune_below(document: Document, path: Path, written: Any, node: Node) -> bool:
    """Prune what is at `path`; False when it is of the wrong kind, which is reported."""
    if isinstance(node, Leaf):
        return True
    if isinstance(node, Rows):
        if not isinstance(written, list) or not all(isinstance(row, dict) for row in written):
            document.report(path, f"must be a list of tables, each under [[{path[-1]}]]")
            return False
        for index, row in enumerate(written):
            _prune(document, (*path, index), row, node.entry)
        return True
    if not isinstance(written, dict):
        document.report(path, "must be a table")
        return False
    if isinstance(node, Table):
        _prune(document, path, written, node)
        return True
    for key in list(written):
        mistake = key_mistake(key)
        if mistake:
            hint = None if key_mistake(key.lower()) else f"Write {path[-1]}.{key.lower()}"
            document.report((*path, key), mistake, suggestion=hint)
        if mistake or not _prune_below(document, (*path, key), written[key], node.entry):
            del written[key]
    return True


def _validated(document: Document, path: Path, model: type[_S], data: dict[str, Any]) -> _S | None:
    try:
        return model.model_validate(data)
    except ValidationError as exc:
        wording.report(document, exc, lambda location: (*path, *location))
    return None


def _service(document: Document, root: FilePath) -> Service:
    """The service with absolute paths; where it has mistakes, one with the defaults."""
    written = document.tree.get("service", {})
    own = {key: value for key, value in written.items() if key not in DESK_IN_SERVICE}
    if isinstance(own.get("database"), SecretStr):
        own["database"] = own["database"].get_secret_value()
    own.setdefault("secret_key", NO_KEY_YET)
    service = _validated(document, ("service",), Service, own) or Service(secret_key=NO_KEY_YET)
    state_dir = absolute(service.state_dir, root, "")
    url = service.database
    try:
        url = database_url(service.database, root, state_dir)
    except NotThis as exc:
        if own.get("database"):  # a database whose secret could not be had is reported already
            value = mask_url(service.database)
            document.report(("service", "database"), str(exc), value=value, suggestion=exc.suggestion)
    templates = None if service.templates is None else absolute(service.templates, root, state_dir)
    return service.model_copy(update={"state_dir": state_dir, "database": url, "templates": templates})


def _entries(draft: Draft, section: str, model: type[_S]) -> dict[str, Section]:
    valid: dict[str, Section] = {}
    for key, written in draft.document.tree.get(section, {}).items():
        entry = _validated(draft.document, (section, key), model, {**written, "key": key})
        if entry is not None:
            valid[key] = _with_absolute_paths(draft, entry)
    return valid


def _with_absolute_paths(draft: Draft, entry: Section) -> Section:
    names: tuple[str, ...] = ()
    if isinstance(entry, Listener):
        names = ("tls_certificate", "tls_key")
    elif isinstance(entry, Mailbox):
        names = ("ca_file",)
    elif isinstance(entry, Department):
        names = ("logo",)
    written = {name: getattr(entry, name) for name in names}
    paths = {
        name: absolute(path, draft.root, draft.service.state_dir) for name, path in written.items() if path
    }
    return entry.model_copy(update=paths)


def _delivery(draft: Draft) -> Delivery | None:
    delivery = _validated(draft.document, ("delivery",), Delivery, draft.document.tree.get("delivery", {}))
    if delivery is None:
        return None
    state_dir = draft.service.state_dir
    update: dict[str, Any] = {"maildir": absolute(delivery.maildir, draft.root, state_dir)}
    smarthost = delivery.smarthost
    if smarthost is not None and smarthost.ca_file is not None:
        ca_file = absolute(smarthost.ca_file, draft.root, state_dir)
        update["smarthost"] = smarthost.model_copy(update={"ca_file": ca_file})
    return delivery.model_copy(update=update)


def _desk(draft: Draft) -> Desk | None:
    """The desk of all valid entries, so that only mistakes of its own options are left to find."""
    tree, document = draft.document.tree, draft.document
    in_service = {key: value for key, value in tree.get("service", {}).items() if key in DESK_IN_SERVICE}
    single = {}
    for section in SINGLE:
        node = shape().options[section]
        assert isinstance(node, Table)
        entry = _validated(document, (section,), node.model, tree.get(section, {}))
        if entry is not None:
            single[section] = entry
    data = {
        **in_service,
        **tree.get("desk", {}),
        **{section: draft.entries[section] for section in KEYED},
        **single,
        "rules": tuple(draft.rules.values()),
    }
    try:
        return Desk.model_validate(data)
    except ValidationError as exc:
        wording.report(document, exc, _place_of_desk_option)
    return None


def _place_of_desk_option(location: Path) -> Path:
    return ("service" if location[0] in DESK_IN_SERVICE else "desk", *location)
