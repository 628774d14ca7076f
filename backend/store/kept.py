"""Answers that are kept in memory for as long as nothing is written to the database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

MAX_ANSWERS = 64

Answer = TypeVar("Answer")


class Kept:
    """The answers of one version of the database, shared by all threads."""

    def __init__(self, read_version: Callable[[], str]) -> None:
        """Begin with none; `read_version` tells which contents a reader would see now."""
        self._read_version = read_version
        self._version = ""
        self._answers: dict[Hashable, Any] = {}
        self._lock = threading.Lock()

    def get(self, question: Hashable, answer: Callable[[], Answer]) -> Answer:
        """Give the answer that is kept, or ask for it."""
        version = self._read_version()  # before it is answered: what is written meanwhile makes the answer obsolete
        with self._lock:
            if version != self._version:
                self._version = version
                self._answers.clear()
            elif question in self._answers:
                kept: Answer = self._answers[question]
                return kept
        fresh = answer()
        with self._lock:
            if version == self._version:
                if len(self._answers) >= MAX_ANSWERS:
                    self._answers.pop(next(iter(self._answers)))
                self._answers[question] = fresh
        return fresh
