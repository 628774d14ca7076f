"""What a log says of the lives that a run has had; read before it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from predictor.errors import LogError
from predictor.events import CheckpointWritten, Event, Retuned, RunFinished, RunStarted, TargetReached
from predictor.log import decode
from workers.errors import RunDirectoryError

_TELLING = tuple(
    f'"kind":"{kind.__name__}"'.encode()
    for kind in (RunStarted, CheckpointWritten, Retuned, RunFinished, TargetReached)
)
_TAIL = 2_000  # lines at the end of which all stamps are looked at: processes write theirs a little late


@dataclass(slots=True)
class History:
    """Facts of the complete lines of a log."""

    length: int = 0  # bytes up to the end of the last complete line
    last_seq: int = 0
    last_at_s: float = 0.0
    num_lives: int = 0
    is_simulated: bool = False  # its newest life
    checkpoint: CheckpointWritten | None = None
    checkpoint_seq: int = 0
    retuned: dict[str, Any] = field(default_factory=dict)  # all changes of the policy's parameters, the newest wins
    retuned_forecaster: dict[str, Any] = field(default_factory=dict)  # those of its forecaster
    has_reached_target: bool = False
    finished: RunFinished | None = None  # the closing event of the newest life


def read_history(path: Path) -> History:
    """Read a log; an absent one is an empty one. Only telling lines are decoded, so that it is quick.

    Raises:
        RunDirectoryError: a line is no event.
    """
    history = History()
    if not path.exists():
        return history
    tail: list[bytes] = []
    with path.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                break
            history.length += len(line)
            if any(kind in line[:60] for kind in _TELLING):
                _note(history, *_decoded(line, path))
            tail.append(line)
            if len(tail) == 2 * _TAIL:
                del tail[:_TAIL]
    for line in tail[-_TAIL:]:
        history.last_seq, event = _decoded(line, path)
        history.last_at_s = max(history.last_at_s, event.at_s)
    return history


def _note(history: History, seq: int, event: Event) -> None:
    match event:
        case RunStarted():
            history.num_lives += 1
            history.is_simulated = event.is_simulated
            history.finished = None
        case CheckpointWritten():
            history.checkpoint, history.checkpoint_seq = event, seq
        case Retuned():
            history.retuned.update(event.params)
            # With a name it is another forecaster, complete: nothing of the old one stays.
            kept = {} if "name" in event.forecaster else history.retuned_forecaster
            history.retuned_forecaster = kept | event.forecaster
        case TargetReached():
            history.has_reached_target = True
        case RunFinished():
            history.finished = event
        case _:
            raise AssertionError(f"{type(event).__name__} was not to be decoded")


def _decoded(line: bytes, path: Path) -> tuple[int, Event]:
    try:
        return decode(line)
    except LogError as error:
        raise RunDirectoryError(f"{path} is damaged: {error}") from error
