"""The words by which mail systems are known, as regular expressions; every repetition is bounded."""

from __future__ import annotations

import re

DAEMONS = re.compile(
    "|".join(
        (
            r"mail(?:er)?[-_.]?daemon",
            r"post[-_.]?master",
            r"mail-?delivery(?:[-_. ]?(?:sub)?system)?",
            r"mmdf",
            r"delivery-?(?:status|failure|subsystem)",
            r"bounces?",
            r"smtp[-_.]?daemon",
            r"mail[-_.]?system",
            r"postoffice",
        )
    ),
    re.IGNORECASE,
)
"""The local part of a mail system."""

DAEMON_NAME = re.compile(
    "|".join(
        (
            r"mailer[- ]daemon",
            r"mail delivery (?:sub)?system",
            r"mail administrator",
            r"mail system",
            r"delivery subsystem",
            r"internet mail delivery",
            r"postmaster",
            r"mail router",
        )
    ),
    re.IGNORECASE,
)
"""The display name of one that writes without an address."""

SUBJECT = re.compile(
    "|".join(
        (
            r"undeliver(?:ed|able)",
            r"non[- ]?deliver(?:y|able|ed)",
            r"delivery (?:status|failure|failed|error|problem|notif|report|delay)",
            r"returned mail",
            r"return(?:ed|ing) (?:mail|message)",
            r"failure (?:notice|delivery|notification)",
            r"mail delivery",
            r"message delivery",
            r"mail (?:failure|error|status|system (?:error|notif))",
            r"delivery has (?:failed|been delayed)",
            r"could ?n[o']t be delivered",
            r"error sending (?:your )?mail",
            r"permanent delivery failure",
            r"warning: (?:message|could not)",
            r"message (?:status|delayed|not delivered|undeliverable)",
            r"unzustellbar",
            r"nicht zugestellt",
            r"zustellung",
            r"unzustell",
            r"non (?:remis|délivr|distribu)",
            r"échec de (?:la )?remise",
            r"no (?:se )?(?:pudo|ha podido) entregar",
            r"no entregado",
            r"devuelto",
            r"mancata consegna",
            r"mancato recapito",
            r"onbestelbaar",
            r"niet (?:bezorgd|afgeleverd)",
            r"não entregue",
            r"devolvid",
            r"falha na entrega",
            r"niedostarczon",
            r"не доставлен",
            r"недоставлен",
            r"не может быть доставлен",
            r"kunne ikke leveres",
            r"kunde inte levereras",
            r"配信(?:不能|エラー|失敗)",
            r"送信エラー",
            r"未達",
            r"退信",
            r"投递失败",
            r"无法投递",
            r"系统退信",
            r"반송",
            r"전달되지",
        )
    ),
    re.IGNORECASE,
)
"""The subject of a delivery report."""

PHRASE = re.compile(
    "|".join(
        (
            r"could ?n[o']t be delivered",
            r"cannot be delivered",
            r"can ?not deliver",
            r"unable to deliver",
            r"error has occurred while attempting",
            r"delivery errors?",
            r"(?:each|one) of the following recipients",
            r"not deliver(?:ed|able)",
            r"was ?n[o']t able to deliver",
            r"undeliver(?:ed|able)",
            r"delivery (?:to|has|of).{0,80}(?:failed|delayed|aborted)",
            r"permanent (?:fatal )?errors?",
            r"failed permanently",
            r"had delivery problems",
            r"error (?:while )?(?:delivering|trying to deliver)",
            r"error occurred while trying to deliver",
            r"trouble delivering",
            r"failure reasons",
            r"qmail-send program",
            r"following (?:address(?:es)?|recipients?).{0,40}(?:failed|rejected|error|had)",
            r"rejected (?:your|recipient|for)",
            r"mailbox (?:is )?(?:full|exceed|unavailable|quota)",
            r"user mailbox exceeds",
            r"unknown user",
            r"user unknown",
            r"no such user",
            r"did not reach",
            r"has been returned",
            r"was returned",
            r"message (?:was )?rejected",
            r"incorrectly constructed",
            r"(?:will|shall) (?:be retried|keep trying|continue to try)",
            r"not yet been delivered",
            r"has been delayed",
            r"nicht zugestellt",
            r"unzustellbar",
            r"konnte nicht",
            r"n'a pas pu être",
            r"pas pu être (?:remis|délivr|distribu)",
            r"no (?:se )?(?:pudo|ha podido) (?:ser )?entregar",
            r"no pudo ser entregad",
            r"non è stato possibile (?:consegnare|recapitare)",
            r"não pôde ser entregue",
            r"не может быть доставлен",
            r"не удалось доставить",
            r"nie mógł zostać dostarczon",
            r"送信できません",
            r"送信に失敗",
            r"配信できません",
            r"配送できません",
            r"无法投递",
            r"無法投遞",
            r"投递失败",
            r"(?<!\d)5[0-5]\d[ -#]{1,3}5\.\d\.\d",
            r"""(?<!\d)5[0-5]\d [<\"']?[^\s@]{1,64}@""",
        )
    ),
    re.IGNORECASE,
)
"""What only delivery reports say at the top of their text."""

DELAYED = re.compile(
    "|".join(
        (
            r"will be retried",
            r"will (?:keep|continue) (?:trying|to try|retrying)",
            r"has been delayed",
            r"delivery is delayed",
            r"not yet been delivered",
            r"still undelivered",
            r"no action is required",
            r"temporarily (?:delayed|deferred)",
            r"this is a warning message only",
            r"do not need to resend",
            r"delayed mail",
        )
    ),
    re.IGNORECASE,
)
"""The mail has not been given up."""

GAVE_UP = re.compile(
    "|".join(
        (
            r"given up",
            r"giving up",
            r"not going to try again",
            r"permanent",
            r"message expired",
            r"too long",
        )
    ),
    re.IGNORECASE,
)
"""It has, whatever else is said."""

MACHINE_LOCAL = re.compile(
    r"(?:no|do[-_.]?not|dont|never|nicht|kein)[-_.]?(?:reply|replies|respond|response|antworten|antwort)(?:[-_.+].{0,60})?|"
    r"(?:.{1,60}[-_.])?(?:no-?reply|donotreply|do-not-reply)|nepasrepondre|ne[-_.]pas[-_.]repondre|"
    r"no[-_.]?responder|nao[-_.]?responda|non[-_.]?rispondere|geen-?antwoord",
    re.IGNORECASE,
)
"""The local part of an address that says that nobody reads what is sent to it."""
