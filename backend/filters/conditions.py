"""From the tree of a filter to an SQL condition. Every value travels as a bound parameter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Double, Text, and_, cast, false, func, literal, not_, or_, select, true

from backend.filters import values
from backend.filters.elements import (
    PositionOf,
    SettingNumber,
    SettingPresent,
    SettingWord,
    Unindexed,
    contains,
)
from backend.filters.errors import FilterError, nearest
from backend.filters.keys import IS_VALUES, KEYS, OPERATORS_OF, Key, find_key
from backend.filters.parser import parse
from backend.filters.settings_paths import PREFIX, Setting, settings
from backend.filters.syntax import And, Node, Not, Or, Place, Term, Value, Word, terms
from backend.store.tables import (
    ACTIVE_STATES,
    ALL_STATES,
    FINAL_STATES,
    Baseline,
    Experiment,
    Run,
    RunSettings,
    RunTag,
    Tag,
)

Condition = ColumnElement[bool]
NONE = "none"  # as a value: the run has none


class Filter:
    """A filter that was read and checked."""

    def __init__(self, text: str, now: datetime | None = None) -> None:
        """Read the text; `now` is what -7d goes back from.

        Raises:
            FilterError: where it is wrong, and what would be right.
        """
        self.text = text
        self._now = now or datetime.now(UTC)
        tree = parse(text)
        self.node = tree if isinstance(tree, And) else And((tree,))
        self.condition(self.node)

    def names(self, key: str, *words: str) -> bool:
        """Tell whether a term has this key, and one of these values where some are given."""
        found = [term for term in terms(self.node) if _name(term) == key]
        return any(not words or value.text.lower() in words for term in found for value in term.values)

    def has_moment(self) -> bool:
        """Tell whether a term compares a time, which may be reckoned from now."""
        return any(key.kind == "time" for term in terms(self.node) if (key := find_key(term.key)) is not None)

    def without(self, *keys: str) -> Node:
        """Give the tree without what its outermost level says about some keys."""
        return And(tuple(part for part in self.node.parts if not (isinstance(part, Term) and _name(part) in keys)))

    def only(self, key: str) -> Node | None:
        """Give what the outermost level of the tree says about a key; None: nothing."""
        parts = tuple(part for part in self.node.parts if isinstance(part, Term) and _name(part) == key)
        return And(parts) if parts else None

    def condition(self, node: Node) -> Condition:
        """Compile a tree. A run without the value that a term compares does not fit the term."""
        match node:
            case And(parts):
                return and_(true(), *(self.condition(part) for part in parts))
            case Or(parts):
                return or_(false(), *(self.condition(part) for part in parts))
            case Not(part):
                return not_(self.condition(part))
            case Word(text):
                return search(text)
            case Term():
                return self._term(node)

    # ---- terms -------------------------------------------------------------------------------------------

    def _term(self, term: Term) -> Condition:
        name = term.key.lower()
        if name.startswith(PREFIX):
            return self._setting(term, name.removeprefix(PREFIX))
        key = find_key(name)
        if key is None:
            near = nearest(name, [key.name for key in KEYS] + [PREFIX + path for path in settings()])
            if near == "" and term.operator == ":":
                near = "; to search a text that holds a colon, write it in quotes"
            raise FilterError(self.text, term.key_place, f"is not a key{near}")
        allowed = OPERATORS_OF[key.kind]
        if term.operator not in allowed:
            place = Place(term.key_place.end, term.values[0].place.start)
            raise FilterError(self.text, place, f"does not go with {key.name}, which takes {', '.join(allowed)}")
        if term.operator not in (":", "=", "!=") and len(term.values) > 1:
            raise FilterError(self.text, term.values[1].place, f"is one value too many: {term.operator} takes one")
        fits = or_(*(self._value(key, term, value) for value in term.values))
        return not_(fits) if term.operator == "!=" else fits

    def _value(self, key: Key, term: Term, value: Value) -> Condition:
        if value.text.lower() == NONE and not value.is_quoted and key.kind not in ("is", "flag", "choice"):
            return self._absent(key, term)
        return _KINDS[key.kind](self, key, term, value)

    def _absent(self, key: Key, term: Term) -> Condition:
        if key.kind == "tag":
            return Run.tag_numbers == ""
        if key.name == "notes":
            return Run.notes == ""
        if key.column is None or term.operator not in (":", "=", "!="):
            raise FilterError(
                self.text, term.place, f"cannot be: {NONE} goes with :, = and != of a figure, tag or notes"
            )
        absent: Condition = key.column.is_(None)
        return absent

    def _choice(self, _: Key, __: Term, value: Value) -> Condition:
        state = value.text.lower()
        if state not in ALL_STATES:
            wish = f"is not a state{nearest(state, ALL_STATES) or ': ' + ', '.join(ALL_STATES)}"
            raise FilterError(self.text, value.place, wish)
        return Unindexed(Run.state) == state

    def _exact(self, key: Key, _: Term, value: Value) -> Condition:
        assert key.column is not None
        column: ColumnElement[Any] = Unindexed(key.column) if key.name == "id" else key.column.expression
        return column == value.text

    def _text(self, key: Key, term: Term, value: Value) -> Condition:
        assert key.column is not None
        return contains(key.column, value.text) if term.operator == ":" else key.column.expression == value.text

    def _tag(self, _: Key, __: Term, value: Value) -> Condition:
        return has_tag(value.text)

    def _experiment(self, _: Key, term: Term, value: Value) -> Condition:
        name = Experiment.name
        fits = contains(name, value.text) if term.operator == ":" else name == value.text
        return Unindexed(Run.experiment_id).in_(select(Experiment.id).where(fits))

    def _figure(self, key: Key, term: Term, value: Value) -> Condition:
        read = {"number": values.number, "share": values.share, "seconds": values.seconds}[key.kind]
        assert key.column is not None
        return _compare(Unindexed(key.column), term.operator, read(value, self._fail))

    def _time(self, key: Key, term: Term, value: Value) -> Condition:
        start, end = values.moment(value, self._now, self._fail)
        assert key.column is not None
        column = Unindexed(key.column)
        if term.operator in (":", "=", "!="):
            if start == end:
                raise FilterError(self.text, value.place, f"is an instant: write {key.name}> or {key.name}< before it")
            fits = and_(column >= start, column < end)
        else:
            # A day is before another once it has ended; an instant has no length.
            is_instant = start == end
            bounds: dict[str, Condition] = {
                "<": column < start,
                "<=": column <= end if is_instant else column < end,
                ">": column > start if is_instant else column >= end,
                ">=": column >= start,
            }
            fits = bounds[term.operator]
        return and_(column.is_not(None), fits)

    def _flag(self, key: Key, _: Term, value: Value) -> Condition:
        assert key.column is not None
        fits: Condition = key.column.is_(values.flag(value, self._fail))
        return fits

    def _is(self, _: Key, __: Term, value: Value) -> Condition:
        word = value.text.lower()
        conditions: dict[str, Condition] = {
            "archived": Run.is_archived.is_(True),
            "deleted": Run.deleted_at.is_not(None),
            "active": Unindexed(Run.state).in_(("queued", *ACTIVE_STATES)),
            "finished": Unindexed(Run.state).in_(FINAL_STATES),
            "simulated": Run.is_simulated.is_(True),
            "baseline": Unindexed(Run.id).in_(select(Baseline.run_id)),
        }
        if word not in conditions:
            wish = f"is nothing that a run can be{nearest(word, IS_VALUES) or ': ' + ', '.join(IS_VALUES)}"
            raise FilterError(self.text, value.place, wish)
        return conditions[word]

    # ---- settings ----------------------------------------------------------------------------------------

    def _setting(self, term: Term, path: str) -> Condition:
        setting = settings().get(path)
        if setting is None or setting.kinds == {"other"}:
            known = {PREFIX + one.path for one in settings().values() if one.kinds != {"other"}}
            inside = sorted(one for one in known if one.startswith(f"{PREFIX}{path}."))
            near = f"; in it: {', '.join(inside[:6])}" if inside else nearest(PREFIX + path, known)
            wish = "is not the path of a setting" if setting is None else "is a list, which cannot be compared"
            raise FilterError(self.text, term.key_place, wish + near)
        if path in ("seed", "name"):  # of the run, and not of the settings that several runs share
            key = find_key(path)
            assert key is not None
            return self._term(
                Term(key.name, term.key_place, "=" if term.operator == ":" else term.operator, term.values, term.place)
            )
        if term.operator not in (":", "=", "!=") and len(term.values) > 1:
            raise FilterError(self.text, term.values[1].place, f"is one value too many: {term.operator} takes one")
        fits = or_(*(self._setting_value(setting, term, value) for value in term.values))
        return _with_settings(not_(fits) if term.operator == "!=" else fits)

    def _setting_value(self, setting: Setting, term: Term, value: Value) -> Condition:
        if term.operator not in (":", "=", "!="):
            if "number" not in setting.kinds:
                place = Place(term.key_place.end, value.place.start)
                raise FilterError(self.text, place, f"does not go with spec.{setting.path}, which is a text")
            number = SettingNumber(RunSettings.spec, setting.path)
            return _compare(number, term.operator, values.number(value, self._fail))
        if value.text.lower() == NONE and not value.is_quoted:
            return not_(SettingPresent(RunSettings.spec, setting.path))
        if "word" not in setting.kinds:
            return _compare(SettingNumber(RunSettings.spec, setting.path), "=", values.number(value, self._fail))
        text = {"yes": "true", "no": "false"}.get(value.text, value.text) if "true" in setting.values else value.text
        word = SettingWord(RunSettings.spec, setting.path)
        fits = and_(word.is_not(None), word == text)
        if "number" in setting.kinds and values.NUMBER.fullmatch(value.text):
            return or_(fits, _compare(SettingNumber(RunSettings.spec, setting.path), "=", float(value.text)))
        return fits

    def _fail(self, value: Value, wish: str) -> FilterError:
        return FilterError(self.text, value.place, wish)


def has_tag(tag: str) -> Condition:
    """Look for a tag among the numbers that stand in the run's row; see `backend.store.tags`."""
    number = select(literal(",") + cast(Tag.id, Text) + literal(",")).where(Tag.tag == tag).scalar_subquery()
    return PositionOf(Run.tag_numbers, func.coalesce(number, literal(";"))) > 0


def search(text: str) -> Condition:
    """Look for a text in the name, the experiment's name and the tags."""
    return or_(
        contains(Run.name, text),
        Unindexed(Run.experiment_id).in_(select(Experiment.id).where(contains(Experiment.name, text))),
        Unindexed(Run.id).in_(
            select(RunTag.run_id).where(RunTag.tag.in_(select(Tag.tag).where(contains(Tag.tag, text))))
        ),
    )


def _with_settings(fits: Condition) -> Condition:
    return Unindexed(Run.settings_id).in_(select(RunSettings.id).where(fits))


def _compare(column: Any, operator: str, value: float) -> Condition:
    number: ColumnElement[float] = literal(
        value, Double()
    )  # not of the column's type: a whole number may be compared with 1.5
    compared: dict[str, Condition] = {
        "<": column < number,
        "<=": column <= number,
        ">": column > number,
        ">=": column >= number,
    }
    return and_(column.is_not(None), compared.get(operator, column == number))


def _name(term: Term) -> str:
    key = find_key(term.key)
    return term.key.lower() if key is None else key.name


_KINDS: dict[str, Callable[[Filter, Key, Term, Value], Condition]] = {
    "choice": Filter._choice,
    "exact": Filter._exact,
    "text": Filter._text,
    "tag": Filter._tag,
    "experiment": Filter._experiment,
    "number": Filter._figure,
    "share": Filter._figure,
    "seconds": Filter._figure,
    "time": Filter._time,
    "flag": Filter._flag,
    "is": Filter._is,
}
