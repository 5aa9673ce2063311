"""The configuration of the demo's desk, as one file of TOML."""

from __future__ import annotations

import json
from pathlib import Path

from mailticket.demo.cast import CAST, IDA, MONA, RAJ, SAM, SUE, SUPPORT, SYSADMIN


def configuration(folder: Path, smarthost_port: int) -> str:
    """A desk that keeps its data below `folder` and hands its mail to a port on loopback."""
    agents = (
        f'[agents.{role.key}]\nname = "{role.name}"\naddresses = ["{role.address}"]\n'
        for role in CAST
        if role.inside
    )
    return "\n".join((_machinery(folder, smarthost_port), _departments(), *agents, _RULES))


def _machinery(folder: Path, smarthost_port: int) -> str:
    return f"""\
# Written by `mailticket demo`; the commands work on it: mailticket --config THIS_FOLDER ticket list --all
[service]
name = "Example Bank"
instance = "demo"
time_zone = "UTC"
state_dir = {json.dumps(str(folder / "var"))}

[desk]
default_department = "support"
default_sla_plan = "standard"
acknowledge_after = "0s"        # so that the acknowledgement is there to be seen
undo_hold = "0s"                # answers go out at once: the demo takes nothing back
receipts = "errors"

[listeners.smtp]
host = "127.0.0.1"
port = 0

[delivery.smarthost]            # the demo's mailroom, the mail server of everybody
host = "127.0.0.1"
port = {smarthost_port}
security = "none"
"""


def _departments() -> str:
    return f"""\
[departments.support]
name = "Support"
addresses = ["{SUPPORT}"]
manager = "{MONA.key}"
members = ["{SAM.key}", "{SUE.key}"]
signature = "Example Bank, Customer Support"

[departments.sysadmin]
name = "System Administration"
addresses = ["{SYSADMIN}"]
manager = "{MONA.key}"
members = ["{IDA.key}", "{RAJ.key}"]
signature = "Example Bank, System Administration"
"""


_RULES = """\
[topics.banking]
name = "Online banking"

[[rules]]
name = "Online banking"
when = [{ field = "subject", how = "contains", value = "online banking" }]
then = { topic = "banking" }

[sla_plans.standard]
name = "Standard"
schedule = "office"
first_response = "4h"
resolution = "18h"

[schedules.office]
time_zone = "UTC"
hours.mon = ["08:00-18:00"]
hours.tue = ["08:00-18:00"]
hours.wed = ["08:00-18:00"]
hours.thu = ["08:00-18:00"]
hours.fri = ["08:00-18:00"]

[digest]
at = "08:00"
weekdays = ["tue", "wed", "thu", "fri"]   # the story begins on a Monday and ends on Tuesday morning
"""
