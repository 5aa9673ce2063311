"""Who takes part in the demo. Every address is of a reserved domain; nobody here exists."""

from __future__ import annotations

from dataclasses import dataclass

from mailticket.mail.types import Address

SUPPORT = "support@bank.example"
SYSADMIN = "sysadmin@bank.example"


@dataclass(frozen=True, slots=True)
class Role:
    """One person with a mailbox of their own.

    key      names their Maildir, and for agents the agent in the configuration
    inside   an agent or manager of the desk; everybody else is a customer
    webmail  writes HTML as webmail does, instead of plain text
    """

    key: str
    name: str
    address: str
    part: str
    inside: bool = True
    webmail: bool = False

    @property
    def mailbox(self) -> Address:
        """As it stands in a From header."""
        return Address(self.name, self.address)


JANE = Role("jane", "Jane Doe", "jane.doe@customer.example", "customer", inside=False, webmail=True)
TOM = Role("tom", "Tom Low", "tom@home.example", "customer", inside=False)
SAM = Role("sam", "Sam Sato", "sam.sato@private.example", "support agent")
SUE = Role("sue", "Sue Stone", "sue.stone@private.example", "support agent")
IDA = Role("ida", "Ida Iverson", "ida@iverson.example", "system administrator")
RAJ = Role("raj", "Raj Rao", "raj.rao@private.example", "system administrator")
MONA = Role("mona", "Mona Meyer", "mona.meyer@private.example", "manager")

CAST = (JANE, TOM, SAM, SUE, IDA, RAJ, MONA)
BY_ADDRESS = {role.address: role for role in CAST}
