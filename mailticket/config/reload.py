"""What a new configuration changes that a running daemon cannot take over (SIGHUP)."""

from __future__ import annotations

from mailticket.config.settings import Settings


def diff_restart_needed(old: Settings, new: Settings) -> tuple[str, ...]:
    """The changed options and sections that take effect only after a restart, in a fixed order.

    Everything else (the desk, delivery, receive, templates, log level) may be swapped in place;
    `until_restart` says with what the daemon goes on.
    """
    parts = {
        "service.database": (old.service.database, new.service.database),
        "service.state_dir": (old.service.state_dir, new.service.state_dir),
        "service.secret_key": (old.service.secret_key, new.service.secret_key),
        "service.instance": (old.desk.instance, new.desk.instance),
        "service.log_format": (old.service.log_format, new.service.log_format),
        "listeners": (old.listeners, new.listeners),
        "mailboxes": (old.mailboxes, new.mailboxes),
        "receive.parser_processes": (old.receive.parser_processes, new.receive.parser_processes),
    }
    return tuple(name for name, (before, after) in parts.items() if before != after)


def until_restart(old: Settings, new: Settings) -> Settings:
    """The new settings with all that needs a restart as it was.

    A daemon that went on with a new secret key over its old database would sign tokens that no
    other part of it knows, so the two are never mixed: `diff_restart_needed(old, result)` is empty.
    """
    service = new.service.model_copy(
        update={
            "database": old.service.database,
            "state_dir": old.service.state_dir,
            "secret_key": old.service.secret_key,
            "log_format": old.service.log_format,
        }
    )
    return new.model_copy(
        update={
            "service": service,
            "desk": new.desk.model_copy(update={"instance": old.desk.instance}),
            "listeners": old.listeners,
            "mailboxes": old.mailboxes,
            "receive": new.receive.model_copy(update={"parser_processes": old.receive.parser_processes}),
        }
    )
