"""What is wrong at this moment, one sentence for each topic."""

from __future__ import annotations

import logging
import threading

logger = logging.getLogger(__name__)


class Health:
    """Sentences that stand as long as their trouble lasts; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sentences: dict[str, str] = {}

    def report(self, topic: str, sentence: str) -> None:
        """Say what is wrong; said again, it is logged only when it changed."""
        with self._lock:
            is_new = self._sentences.get(topic) != sentence
            self._sentences[topic] = sentence
        if is_new:
            logger.warning(sentence)

    def clear(self, topic: str) -> None:
        """Say that a trouble is over."""
        with self._lock:
            was_there = self._sentences.pop(topic, None) is not None
        if was_there:
            logger.warning("Over: %s", topic)

    def sentences(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._sentences.values())
