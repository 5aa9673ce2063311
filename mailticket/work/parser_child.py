"""A parser process: reads mails from its standard input, answers with what they say. Nothing else.

Started by `mailticket.work.parsers`; ends when its input does, so it never outlives the daemon.
The address space is limited per mail; running out of it is answered, not died of, where possible.
"""

from __future__ import annotations

import os
import pickle
import resource
import sys

from mailticket.mail.read import read
from mailticket.work.frames import Closed, read_frame, write_frame

_SIZE_FACTOR = 4
"""A mail may need this many times its size beyond the fixed allowance: raw, decoded and text copies."""


def serve(source: int, sink: int, memory: int) -> None:
    """Answer frames until the input ends.

    memory: bytes of address space a mail may use beyond what the idle process has, plus four times
    the mail's size.
    """
    idle = _address_space()
    while True:
        try:
            frame = read_frame(source)
        except Closed:
            return
        raw, envelope_from = pickle.loads(frame)  # noqa: S301 -- from the daemon itself
        _limit(idle + memory + _SIZE_FACTOR * len(raw))
        try:
            answer = pickle.dumps(read(raw, envelope_from), protocol=5)
        except MemoryError:
            answer = pickle.dumps("it needs more memory than a mail may use")
        except Exception as error:  # noqa: BLE001 -- a bug in reading must not cost the mail: the daemon makes a plain ticket
            answer = pickle.dumps(f"reading it failed: {type(error).__name__}")
        del raw, frame
        _limit(resource.RLIM_INFINITY)
        write_frame(sink, answer)


def _limit(size: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    soft = size if hard == resource.RLIM_INFINITY or size == resource.RLIM_INFINITY else min(size, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft if size != resource.RLIM_INFINITY else hard, hard))


def _address_space() -> int:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """`python -m mailticket.work.parser_child MEMORY`, speaking frames over stdin and stdout."""
    sink = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not end up between the frames
    serve(0, sink, int(sys.argv[1]))


if __name__ == "__main__":
    main()
