"""The commented configuration that `mailticket init` writes, as text: nothing is read or written here."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Literal

from pydantic import Field, model_validator

from mailticket.config.desk import Section
from mailticket.config.references import LONGEST_LOCAL_PART
from mailticket.config.settings import Security
from mailticket.config.values import Address, InstanceId, Line, NotThis, TimeZone

_NOT_IN_A_KEY = re.compile(r"[^a-z0-9]+")

IMAP_PASSWORD_FILE = "imap.password"  # noqa: S105 - a file's name
SMTP_PASSWORD_FILE = "smtp.password"  # noqa: S105 - a file's name
IMAP_PASSWORD_VARIABLE = "DESK_IMAP_PASSWORD"  # noqa: S105 - a variable's name
SMTP_PASSWORD_VARIABLE = "DESK_SMTP_PASSWORD"  # noqa: S105 - a variable's name


class StarterAnswers(Section):
    """What `mailticket init` asks for. Without an IMAP host the desk listens for SMTP on loopback;
    without an SMTP host outgoing mail goes to a Maildir."""

    organisation: Line
    instance: InstanceId
    support_address: Address
    agent_name: Line
    agent_address: Address
    time_zone: TimeZone = "UTC"
    state_dir: Line = "var"
    imap_host: Line | None = None
    imap_port: int = Field(default=993, ge=1, le=65535)
    imap_security: Security = "tls"
    imap_user: Line | None = None
    """None: the support address."""
    smtp_host: Line | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Security = "starttls"
    smtp_user: Line | None = None
    """None: no login."""
    secrets: Literal["file", "env"] = "file"
    """Where passwords are looked for: files beside the configuration, or environment variables."""

    @model_validator(mode="after")
    def _address_serves(self) -> StarterAnswers:
        local = self.support_address.rpartition("@")[0]
        if "+" in local or len(local.encode()) > LONGEST_LOCAL_PART:
            raise NotThis(
                f"the support address may have {LONGEST_LOCAL_PART} characters before its @, and no +"
            )
        if self.support_address.lower() == self.agent_address.lower():
            raise NotThis("the agent needs an address of their own, not the support address")
        return self


def starter_files(answers: StarterAnswers) -> dict[str, str]:
    """File name -> its text, for a new configuration directory. Passwords are referenced, never held."""
    return {
        "mailticket.toml": "\n".join((_service(answers), _mail_in(answers), _mail_out(answers))),
        "people.toml": _people(answers),
        "routing.toml": _ROUTING,
        "sla.toml": _SLA,
        ".gitignore": "*.password\n",
    }


def agent_key(name: str) -> str:
    """ "Ada Agent" -> "ada": a key from a person's first name, "agent" when nothing ASCII is in it."""
    first = (name.split() or [""])[0]
    plain = unicodedata.normalize("NFKD", first).encode("ascii", "ignore").decode().lower()
    key = _NOT_IN_A_KEY.sub("-", plain).strip("-")[:40].strip("-")
    return "agent-me" if key == "me" else key or "agent"


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are a part of TOML's."""
    return json.dumps(text, ensure_ascii=False)


def _service(answers: StarterAnswers) -> str:
    return f"""\
# mailticket: the machinery. Every option is described in docs/config.md of the project.
# All *.toml files of this directory are read and joined. `mailticket check` tells what is wrong.

[service]
name = {_quoted(answers.organisation)}
instance = {_quoted(answers.instance)}     # short id of this installation; no two desks may share one
time_zone = {_quoted(answers.time_zone)}
state_dir = {_quoted(answers.state_dir)}   # what the daemon keeps; starts at the parent of this directory
database = "sqlite:///{{state_dir}}/mailticket.db"
# database = {{ env = "DESK_DATABASE" }}   # postgresql://user:password@host/name
# secret_key = {{ env = "DESK_SECRET_KEY" }}   # left out, one is made and kept in state_dir/secret.key

[desk]
default_department = "support"
default_sla_plan = "standard"
"""


def _mail_in(answers: StarterAnswers) -> str:
    listener = """\
[listeners.smtp]
host = "127.0.0.1"
port = 2525
"""
    if answers.imap_host is None:
        return f"""\
# Mail comes in over SMTP: let your mail server relay the support address to this port.
{listener}"""
    user = answers.imap_user or answers.support_address
    return f"""\
# Mail comes in from this mailbox. What is done is moved to the processed folder, never deleted.
[mailboxes.support]
host = {_quoted(answers.imap_host)}
port = {answers.imap_port}
security = {_quoted(answers.imap_security)}     # tls, starttls, none
user = {_quoted(user)}
password = {_secret(answers, IMAP_PASSWORD_FILE, IMAP_PASSWORD_VARIABLE)}
# token_command = ["oauth2-token", "support"]   # instead of the password: a program that prints a token
address = {_quoted(answers.support_address)}
processed_folder = "Processed"

# A server of our own, for a mail server that relays to us:
{_commented(listener)}"""


def _mail_out(answers: StarterAnswers) -> str:
    if answers.smtp_host is None:
        return """\
# Mail goes out to a Maildir, for any mail client to open. With a smarthost it goes to people:
[delivery]
maildir = "{state_dir}/outgoing"

# [delivery.smarthost]
# host = "smtp.helpdesk.example"
# user = "support@helpdesk.example"
# password = { file = "smtp.password" }
"""
    login = ""
    if answers.smtp_user is not None:
        login = f"""\
user = {_quoted(answers.smtp_user)}
password = {_secret(answers, SMTP_PASSWORD_FILE, SMTP_PASSWORD_VARIABLE)}
"""
    return f"""\
# Mail goes out through this server.
[delivery.smarthost]
host = {_quoted(answers.smtp_host)}
port = {answers.smtp_port}
security = {_quoted(answers.smtp_security)}     # tls, starttls, none
{login}"""


def _people(answers: StarterAnswers) -> str:
    key = agent_key(answers.agent_name)
    return f"""\
# Who works here, and the addresses that customers write to. A department's first address is where
# its mail comes from; an agent's first address is where alerts go, and customers never see it.

[departments.support]
name = "Support"
addresses = [{_quoted(answers.support_address)}]
manager = {_quoted(key)}          # reads the daily digest
members = [{_quoted(key)}]
signature = {_quoted(answers.organisation)}

[agents.{key}]
name = {_quoted(answers.agent_name)}
addresses = [{_quoted(answers.agent_address)}]

# [agents.another]
# name = "Another Agent"
# addresses = ["another@helpdesk.example"]
# departments = ["support"]
"""


_ROUTING = """\
# What happens to new tickets, in this order. docs/config.md lists fields, comparisons and actions.

# [[rules]]
# name = "Outages"
# when = [{ field = "subject", how = "contains", value = "outage" }]
# then = { priority = "emergency", tags = ["outage"] }
"""

_SLA = """\
# What is promised, and the hours in which it counts.

[sla_plans.standard]
name = "Standard"
schedule = "office"
first_response = "4h"
resolution = "18h"

[schedules.office]
# country = "DE"                # public holidays count as closed
hours.mon = ["08:00-17:00"]
hours.tue = ["08:00-17:00"]
hours.wed = ["08:00-17:00"]
hours.thu = ["08:00-17:00"]
hours.fri = ["08:00-17:00"]
"""


def _secret(answers: StarterAnswers, file: str, variable: str) -> str:
    return f"{{ env = {_quoted(variable)} }}" if answers.secrets == "env" else f"{{ file = {_quoted(file)} }}"


def _commented(text: str) -> str:
    return "".join(f"# {line}\n" for line in text.splitlines())
