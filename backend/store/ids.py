"""Ids of experiments and runs: 16 characters that sort by the time at which they were made."""

from __future__ import annotations

import re
import secrets
import threading
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no letter that looks like another
NUM_CHARACTERS = 16
RANDOM_BITS = 35

_FORM = re.compile(f"[{ALPHABET}]{{{NUM_CHARACTERS}}}")
_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Make an id that is larger than every one that this process made before."""
    global _last  # noqa: PLW0603 - the order of the ids is a promise of the whole process
    with _lock:
        _last = max(_last + 1, (time.time_ns() // 1_000_000 << RANDOM_BITS) | secrets.randbits(RANDOM_BITS))
        number = _last
    return "".join(ALPHABET[number >> shift & 31] for shift in range(5 * (NUM_CHARACTERS - 1), -1, -5))


def is_id(text: str) -> bool:
    """Tell whether the text has the form of an id, and so may be the name of a run's directory."""
    return _FORM.fullmatch(text) is not None
