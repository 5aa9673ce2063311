"""The whole configuration as one validated value: the desk, and the machinery around it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from mailticket.config.desk import Desk, Section
from mailticket.config.paths import absolute, masked_url
from mailticket.config.values import Address, Line, PositiveDuration

Security = Literal["tls", "starttls", "none"]
"""How a connection is protected; "none" is for loopback and closed networks only."""


class Service(Section):
    """The daemon itself. Relative paths start at the configuration directory's parent."""

    state_dir: Path = Path("var")
    database: str = Field(default="sqlite:///{state_dir}/mailticket.db", repr=False)
    """A SQLAlchemy URL, absolute once loaded. It may hold a password: show `database_shown` instead."""
    secret_key: SecretStr
    """Signs reply addresses and Message-IDs; changing it breaks the threading of tickets under way."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    templates: Path | None = None
    """A site's own template folder; single files in it override the shipped ones."""

    @property
    def database_shown(self) -> str:
        """The database URL without its password, for logs and tables."""
        return masked_url(self.database)


class Account(Section):
    """Somebody who may hand in mail as an agent: the account is named like the agent."""

    password: SecretStr
    """As it is, or hashed: "scrypt:SALT:HASH" (`mailticket hash-password`)."""


class Listener(Section):
    """An SMTP or LMTP server of ours. Sizes in bytes, times in seconds."""

    key: str = ""
    protocol: Literal["smtp", "lmtp"] = "smtp"
    host: Line = "127.0.0.1"
    port: int = Field(default=2525, ge=0, le=65535)
    """0 takes any free port; the start-up lines tell which."""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    require_tls: bool = False
    max_message_size: int = Field(default=25_000_000, ge=1_000)
    max_connections: int = Field(default=200, ge=1)
    max_connections_per_client: int = Field(default=50, ge=1)
    max_recipients: int = Field(default=100, ge=1)
    max_messages_per_minute: int = Field(default=6000, ge=1)
    """Per client address; beyond it the client hears 451."""
    max_in_flight: int = Field(default=256_000_000, ge=1_000_000)
    """Bytes of mails being received at once over all connections; beyond it 452."""
    idle_timeout: PositiveDuration = timedelta(seconds=300)
    session_timeout: PositiveDuration = timedelta(seconds=900)
    accounts: dict[str, Account] = Field(default={})


class Mailbox(Section):
    """An IMAP mailbox to poll. What comes in counts as sent to `address`."""

    key: str = ""
    host: Line
    port: int = Field(default=993, ge=1, le=65535)
    security: Security = "tls"
    ca_file: Path | None = None
    user: Line
    password: SecretStr | None = None
    token_command: tuple[Line, ...] | None = Field(default=None, min_length=1)
    """Prints an OAuth2 access token; used with XOAUTH2 instead of a password."""
    address: Address
    folder: Line = "INBOX"
    processed_folder: Line = "Processed"
    poll_interval: PositiveDuration = timedelta(minutes=5)
    idle: bool = True
    connect_timeout: PositiveDuration = timedelta(seconds=20)
    read_timeout: PositiveDuration = timedelta(seconds=60)
    max_message_size: int = Field(default=50_000_000, ge=1_000)


class Smarthost(Section):
    """The server outgoing mail is handed to."""

    host: Line
    port: int = Field(default=587, ge=1, le=65535)
    security: Security = "starttls"
    ca_file: Path | None = None
    user: Line | None = None
    password: SecretStr | None = None
    connections: int = Field(default=2, ge=1, le=50)
    connect_timeout: PositiveDuration = timedelta(seconds=30)
    read_timeout: PositiveDuration = timedelta(seconds=300)
    ehlo_name: Line | None = None
    max_mails_per_connection: int = Field(default=100, ge=1)


class Delivery(Section):
    """Where outgoing mail goes: a smarthost, or, without one, a local Maildir."""

    smarthost: Smarthost | None = None
    maildir: Path = Path("{state_dir}/outgoing")
    retry: tuple[PositiveDuration, ...] = Field(
        default=tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30, 60)), min_length=1
    )
    """Waiting times after the first, second ... failed try; the last one repeats."""
    give_up_after: PositiveDuration = timedelta(days=5)


class Receive(Section):
    """How mails are worked on once they are stored."""

    parser_processes: int = Field(default=1, ge=1, le=32)
    parse_timeout: PositiveDuration = timedelta(seconds=20)
    parse_memory: int = Field(default=512_000_000, ge=64_000_000)
    batch: int = Field(default=20, ge=1, le=500)
    max_attempts: int = Field(default=5, ge=1)


class Settings(Section):
    """Everything, as loaded from a configuration directory."""

    service: Service
    desk: Desk
    listeners: dict[str, Listener] = Field(default={})
    mailboxes: dict[str, Mailbox] = Field(default={})
    delivery: Delivery = Delivery()
    receive: Receive = Receive()
    root: Path = Path()
    """The folder relative paths start at; set by the loader."""

    def path(self, path: Path | str) -> Path:
        """A path as written in the configuration -> an absolute one.

        "{state_dir}" is put in, and a relative path starts at `root`. The loader has already done so
        with every option of this model; what is absolute stays as it is.
        """
        return absolute(path, self.root, self.service.state_dir)
