"""An account as plain data, and back: what has been counted is kept, and counted on from.

Nothing here knows what an account is made of: whatever its parts hold is written as it is. Only the classes named here
are ever made again. What was written by another version of this package is none of this one; who keeps it has to say.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from predictor.accounting.account import Account
from predictor.accounting.blame import Blame, Blamed, Held, Hold, Release
from predictor.accounting.counts import Counts
from predictor.accounting.judgement import Judgement, Score
from predictor.accounting.ledger import Boundary, Ledger
from predictor.accounting.slices import Slices
from predictor.accounting.traffic import Traffic
from predictor.accounting.waits import Waits
from predictor.accounting.work import Amount, Work

_CLASSES: dict[str, type[Any]] = {
    one.__name__: one
    for one in (Account, Amount, Blame, Boundary, Counts, Held, Judgement, Ledger, Score, Slices, Traffic, Waits, Work)
}
_TUPLES: dict[str, Any] = {one.__name__: one for one in (Blamed, Hold, Release)}
_PLAIN = (bool, int, float, str, type(None))


def to_data(account: Account) -> Any:
    """Give an account as lists, objects, numbers and texts; numbers may be infinite."""
    return _write(account)


def from_data(data: Any) -> Account:
    """Give the account that was written.

    Raises:
        ValueError: this is none.
    """
    try:
        account = _read(data)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"this is no account: {error!r}") from error
    if not isinstance(account, Account):
        raise ValueError("this is no account")
    return account


def _write(value: Any) -> Any:
    name = type(value).__name__
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, list):
        return [_write(one) for one in value]
    if isinstance(value, dict):
        return {"of": "dict", "items": [[_write(key), _write(one)] for key, one in value.items()]}
    if isinstance(value, tuple):
        return {"of": name, "items": [_write(one) for one in value]}
    if isinstance(value, deque):
        return {"of": "deque", "items": [_write(one) for one in value], "most": value.maxlen}
    assert name in _CLASSES, f"{name} has to be among the classes of {__name__}"
    return {"of": name, "items": [[field, _write(getattr(value, field))] for field in _fields(value)]}


def _read(data: Any) -> Any:
    if isinstance(data, _PLAIN):
        return data
    if isinstance(data, list):
        return [_read(one) for one in data]
    name, items = data["of"], data["items"]
    if name == "dict":
        return {_read(key): _read(one) for key, one in items}
    if name == "deque":
        return deque((_read(one) for one in items), data["most"])
    if name == "tuple":
        return tuple(_read(one) for one in items)
    if name in _TUPLES:
        return _TUPLES[name](*(_read(one) for one in items))
    made = object.__new__(_CLASSES[name])
    for field, one in items:
        setattr(made, field, _read(one))
    return made


def _fields(value: Any) -> list[str]:
    found = getattr(value, "__dataclass_fields__", None)
    return list(vars(value) if found is None else found)
