"""What no section about the network can check alone. One rule, one function, as in config/references.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path as FilePath

from mailticket.config.problems import Path, did_you_mean
from mailticket.config.settings import Listener, Mailbox
from mailticket.config.validate import Draft
from mailticket.config.written import addresses

_EVERYWHERE = frozenset({"", "*", "0.0.0.0", "::"})  # noqa: S104 - compared with, never bound to
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def listeners_do_not_collide(draft: Draft) -> None:
    """No two listeners share a port of one host; 0 is any free port."""
    taken: list[tuple[str, Listener]] = []
    for key, listener in _listeners(draft):
        for other, earlier in taken:
            if listener.port == earlier.port != 0 and _hosts_overlap(listener.host, earlier.host):
                message = f"is the port of listeners.{other} too"
                draft.document.report(("listeners", key, "port"), message, value=listener.port)
        taken.append((key, listener))


def listener_certificates_exist(draft: Draft) -> None:
    """TLS files are there, and what needs a certificate has one."""
    for key, listener in _listeners(draft):
        path: Path = ("listeners", key)
        _check_file(draft, (*path, "tls_certificate"), listener.tls_certificate)
        _check_file(draft, (*path, "tls_key"), listener.tls_key)
        if listener.tls_certificate is None and (listener.require_tls or listener.tls_key is not None):
            option = "require_tls" if listener.require_tls else "tls_key"
            draft.document.report((*path, option), "needs a tls_certificate")


def accounts_can_log_in(draft: Draft) -> None:
    """An account is an agent's, and its password crosses the network under TLS only."""
    agents = draft.document.tree.get("agents", {})
    for key, listener in _listeners(draft):
        path: Path = ("listeners", key, "accounts")
        if listener.accounts and (listener.tls_certificate is None or listener.protocol != "smtp"):
            draft.document.report(path, 'need protocol = "smtp" and a tls_certificate')
        for name in listener.accounts:
            if name not in agents:
                message = "is the key of no agent: a mail counts as its agent's"
                draft.document.report((*path, name), message, suggestion=did_you_mean(name, agents))


def mailboxes_can_be_used(draft: Draft) -> None:
    """A mailbox serves a department's address, with exactly one way to log in, over a protected line."""
    served = {address.lower() for _, address in addresses(draft, "departments")}
    for key, mailbox in draft.entries["mailboxes"].items():
        assert isinstance(mailbox, Mailbox)
        path: Path = ("mailboxes", key)
        if mailbox.password is not None and mailbox.token_command is not None:
            draft.document.report(path, "has both a password and a token_command: one of them is enough")
        if mailbox.password is None and mailbox.token_command is None:
            draft.document.report(path, "needs a password or a token_command")
        if _without_extension(mailbox.address).lower() not in served:
            message = "is the address of no department"
            hint = did_you_mean(mailbox.address, served)
            draft.document.report((*path, "address"), message, value=mailbox.address, suggestion=hint)
        if mailbox.folder == mailbox.processed_folder:
            draft.document.report((*path, "processed_folder"), "must be another folder than `folder`")
        _check_file(draft, (*path, "ca_file"), mailbox.ca_file)
        _warn_of_plain_login(draft, path, mailbox.host, mailbox.security)


def smarthost_can_be_used(draft: Draft) -> None:
    """User and password come together, and cross no open network in the clear."""
    smarthost = draft.delivery.smarthost if draft.delivery else None
    if smarthost is None:
        return
    path: Path = ("delivery", "smarthost")
    if (smarthost.user is None) != (smarthost.password is None):
        missing = "user" if smarthost.user is None else "password"
        draft.document.report((*path, missing), "is missing: user and password come together")
    _check_file(draft, (*path, "ca_file"), smarthost.ca_file)
    if smarthost.password is not None:
        _warn_of_plain_login(draft, path, smarthost.host, smarthost.security)


def signatures_can_be_verified(draft: Draft) -> None:
    """Verifying signatures takes a package that is an extra, and believing headers takes an MX in front."""
    trust = draft.desk.trust if draft.desk else None
    if trust is None:
        return
    if trust.verify == "dkim" and find_spec("dkim") is None:
        message = 'needs the package dkimpy, which is not installed: pip install "mailticket[auth]"'
        draft.document.report(("trust", "verify"), message, value=trust.verify)
    open_doors = [
        key
        for key, listener in _listeners(draft)
        if listener.protocol == "smtp" and listener.host in _EVERYWHERE
    ]
    if trust.authserv_ids and open_doors:
        message = (
            f"are believed, but listeners.{open_doors[0]} takes mail from everywhere: let only the MX that"
            " writes them reach it, or anybody can write his own"
        )
        draft.document.report(("trust", "authserv_ids"), message, warning=True)


NETWORK_RULES: tuple[Callable[[Draft], None], ...] = (
    listeners_do_not_collide,
    listener_certificates_exist,
    accounts_can_log_in,
    mailboxes_can_be_used,
    smarthost_can_be_used,
    signatures_can_be_verified,
)


def _listeners(draft: Draft) -> Iterator[tuple[str, Listener]]:
    for key, entry in draft.entries["listeners"].items():
        assert isinstance(entry, Listener)
        yield key, entry


def _hosts_overlap(one: str, other: str) -> bool:
    return one == other or one in _EVERYWHERE or other in _EVERYWHERE or {one, other} <= _LOOPBACK


def _check_file(draft: Draft, path: Path, file: FilePath | None) -> None:
    if file is not None and not file.is_file():
        draft.document.report(path, "is not a file", value=str(file))


def _without_extension(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def _warn_of_plain_login(draft: Draft, path: Path, host: str, security: str) -> None:
    if security == "none" and host not in _LOOPBACK:
        message = 'is "none": the password crosses the network in the clear'
        draft.document.report((*path, "security"), message, warning=True)
