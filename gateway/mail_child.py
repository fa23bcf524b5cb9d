"""The process in which `mail_parsing` has mails taken apart: reads them from standard input, writes what they say to standard output.

Limits itself before it reads the first byte of a mail. Must not do anything else; it has no environment and needs no network.
"""

from __future__ import annotations

import pickle
import resource
import signal
import struct
import sys

from channels.mail.model import Mail
from channels.mail.parse import parse

CPU_S = 2
MEMORY_BYTES = 256 * 1024 * 1024
LENGTH = struct.Struct(">I")  # before each mail and each answer


def serve() -> None:
    """Answer every mail with a pickled `Mail`, or None where memory was too short, until the input ends; killed at the limit of time."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when its children end
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    while header := incoming.read(LENGTH.size):
        signal.setitimer(signal.ITIMER_PROF, CPU_S)
        mail: Mail | None
        try:
            mail = parse(incoming.read(LENGTH.unpack(header)[0]))
        except MemoryError:
            mail = None
        answer = pickle.dumps(mail)
        signal.setitimer(signal.ITIMER_PROF, 0)
        outgoing.write(LENGTH.pack(len(answer)) + answer)
        outgoing.flush()
        if mail is None:
            return  # the rest of the mail may still be in the pipe, so there is no next one for this child


if __name__ == "__main__":
    serve()
