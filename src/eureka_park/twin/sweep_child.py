"""A process that does runs one after another: `python -m eureka_park.twin.sweep_child`.

Messages are pickles of this very program with their length before them: in come a `Task` or a word, out go (word,
value). It ends when its input ends, also amid a run, so that none outlives the process that asked.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import IO, Any, Final

LENGTH: Final = struct.Struct("<Q")
WARM: Final = "warm"


def send(stream: IO[bytes], message: Any) -> None:
    """Write one message."""
    content = pickle.dumps(message)
    stream.write(LENGTH.pack(len(content)) + content)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """The next message. Raises EOFError where there is none."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError
    content = stream.read(*LENGTH.unpack(head))
    if len(content) < LENGTH.unpack(head)[0]:
        raise EOFError
    return pickle.loads(content)


def warm() -> None:
    """Have compiled code made, or found on disk."""
    from eureka_park.twin.core.play import warm as play_warm

    play_warm()


def _listen(messages: SimpleQueue[Any]) -> None:
    """Hear the caller; where it is gone nobody waits for what is still being computed."""
    with suppress(EOFError, OSError):
        while True:
            messages.put(receive(sys.stdin.buffer))
    os._exit(0)


def _forget_peak() -> None:
    """Have the most memory that a run held counted from here on, where the kernel can."""
    with suppress(OSError), open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123  (no plain file)
        file.write("5")


def main() -> None:
    """Do what is asked until the input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    messages: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_listen, args=(messages,), daemon=True).start()
    from eureka_park.twin.sweep_task import outcome_of

    while True:
        message = messages.get()
        if message == WARM:
            with suppress(Exception):  # a run will say it better
                warm()
            send(answers, (WARM, None))
            continue
        _forget_peak()
        outcome = outcome_of(message, lambda part, frac: send(answers, ("part", (part, frac))))
        send(answers, ("outcome", outcome))


if __name__ == "__main__":
    main()
