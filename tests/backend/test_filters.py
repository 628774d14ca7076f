"""The language of the filter: what it reads, what it refuses and where, and that it finds the right runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from backend.filters.conditions import Filter
from backend.filters.errors import FilterError
from backend.filters.help import describe
from backend.filters.keys import KEYS
from backend.filters.parser import MAX_DEPTH, MAX_LENGTH, MAX_PARTS, parse
from backend.filters.syntax import And, Not, Or, Term, Word
from backend.store import baseline, bulk, experiments, listing, runs
from backend.store.database import Database
from backend.store.records import RunFilter
from backend.store.tables import Run
from tests.backend.checks import small_experiment

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


# ---- reading -----------------------------------------------------------------------------------------------


def test_the_tree_follows_the_rules() -> None:
    tree = parse('policy:a,"b c" -tag:x or not (name:"q:\\"z" word) and seed >= 2')
    assert isinstance(tree, Or)
    first, second = tree.parts
    assert isinstance(first, And)
    assert isinstance(second, And)
    policy, not_tag = first.parts
    assert isinstance(policy, Term)
    assert (policy.key, policy.operator, [value.text for value in policy.values]) == ("policy", ":", ["a", "b c"])
    assert isinstance(not_tag, Not)
    negated, seed = second.parts
    assert isinstance(negated, Not)
    assert isinstance(negated.part, And)
    name, word = negated.part.parts
    assert isinstance(name, Term)
    assert name.values[0].text == 'q:"z'
    assert isinstance(word, Word)
    assert isinstance(seed, Term)
    assert (seed.operator, seed.values[0].text) == (">=", "2")


def test_an_empty_filter_lets_everything_through() -> None:
    assert parse("") == parse("  \n ") == And(())


@pytest.mark.parametrize(
    ("text", "place", "wish"),
    [
        ("polcy:ssp", (0, 5), "is not a key; near it: policy"),
        ("seed:1 utilization_of:2", (7, 21), "is not a key; near it: utilisation"),
        ("http://x", (0, 4), "write it in quotes"),
        ("state:asleep", (6, 12), "is not a state: queued, starting"),
        ("state:runing", (6, 12), "is not a state; near it: running"),
        ("state>running", (5, 6), "does not go with state, which takes :, =, !="),
        ("is:archive", (3, 10), "is nothing that a run can be; near it: archived"),
        ("policy:", (0, 7), "needs a value behind it"),
        ("policy:a,", (9, 9), "needs a value behind it"),
        ("policy:a,,b", (9, 10), "needs a value behind it"),
        (">= 3", (0, 2), "needs a key before it"),
        ("(seed:1", (0, 1), "has no closing bracket"),
        ("seed:1)", (6, 7), "has no opening bracket before it"),
        ("( )", (0, 3), "holds nothing"),
        ('name:"a', (5, 7), "needs a closing quotation mark"),
        ('"name":a', (0, 6), "is a text in quotes, and a key has none"),
        ("seed:1 or", (9, 9), "needs a key with a value, or a text to search"),
        ("or seed:1", (0, 2), "needs something on both sides"),
        ("seed:one", (5, 8), "must be a number"),
        ("seed:1e999", (5, 10), "must be a number"),
        ("seed>=1,2", (8, 9), "is one value too many"),
        ("utilisation>=high", (13, 17), "must be a share"),
        ("duration>2fortnights", (9, 20), "must be a time"),
        ("created>soon", (8, 12), "must be a moment"),
        ("created:-7d", (8, 11), "is an instant: write created> or created<"),
        ("created>2026-13-01", (8, 18), "must be a moment"),
        ("created>-999999w", (8, 16), "must be at most"),
        ("simulated:maybe", (10, 15), "must be yes or no"),
        ("spec.policy.treshold:4", (0, 20), "is not the path of a setting; near it: spec.policy.threshold"),
        ("spec.policy:ssp", (0, 11), "is not the path of a setting; in it: spec.policy.alpha"),
        ("spec.speed.factors:1", (0, 18), "is a list, which cannot be compared"),
        ("spec.task.model>3", (15, 16), "which is a text"),
        ("spec.policy.threshold:few", (22, 25), "must be a number"),
        ('""', (0, 2), "is an empty text to search"),
        ("a\0b", (1, 2), "is not a character that can be searched"),
        ("x\ud800", (1, 2), "is not a character that can be searched"),
    ],
)
def test_an_error_names_the_place_and_the_wish(text: str, place: tuple[int, int], wish: str) -> None:
    with pytest.raises(FilterError) as caught:
        Filter(text)
    assert (caught.value.place.start, caught.value.place.end) == place
    assert wish in caught.value.wish
    assert caught.value.field == f"filter[{place[0]}:{place[1]}]"
    assert f"at character {place[0] + 1}" in str(caught.value)


def test_the_limits_hold() -> None:
    with pytest.raises(FilterError, match="2,000 characters"):
        Filter("x" * (MAX_LENGTH + 1))
    assert Filter("(" * MAX_DEPTH + "x" + ")" * MAX_DEPTH)
    with pytest.raises(FilterError, match=f"more than {MAX_DEPTH} brackets"):
        Filter("(" * (MAX_DEPTH + 1) + "x" + ")" * (MAX_DEPTH + 1))
    with pytest.raises(FilterError, match=f"more than {MAX_DEPTH} brackets or negations"):
        Filter("-(" * MAX_DEPTH + "-x" + ")" * MAX_DEPTH)
    assert Filter("seed:" + ",".join(["1"] * MAX_PARTS))
    with pytest.raises(FilterError, match="one more than the 200"):
        Filter(" ".join(["x"] * (MAX_PARTS + 1)))


PIECES = r"""policy seed spec.policy.threshold created is tag state x "a b" " ( ) - , : = != >= < or and not none 1
0.5 95% -7d yes archived \ ä ' ;"""
pieces = st.sampled_from([*PIECES.split(), " ", '"a b"'])


@given(st.lists(pieces, max_size=25).map("".join) | st.text(max_size=60))
@settings(max_examples=400, deadline=None)
def test_whatever_is_typed_is_a_condition_or_one_clear_error(text: str) -> None:
    try:
        read = Filter(text, NOW)
    except FilterError as error:
        place, length = error.place, len(text)
        assert 0 <= place.start <= place.end <= length
        return
    query = select(Run.id).where(read.condition(read.node))
    for dialect in (sqlite.dialect(), postgresql.dialect()):  # type: ignore[no-untyped-call]
        query.compile(dialect=dialect)


def test_no_text_of_a_person_stands_in_the_statement() -> None:
    evil = "x'; DROP TABLE runs; --"
    read = Filter(f'"{evil}" name:"{evil}" policy="{evil}" tag:"{evil}" spec.task.model:"{evil}" experiment:"{evil}"')
    for dialect in (sqlite.dialect(), postgresql.dialect()):  # type: ignore[no-untyped-call]
        compiled = select(Run.id).where(read.condition(read.node)).compile(dialect=dialect)
        assert "DROP" not in str(compiled)
        assert sum("DROP" in str(value) for value in compiled.params.values()) >= 6


def test_every_key_is_described_with_an_example_that_can_be_read() -> None:
    described = describe({"policy": ["ssp"], "tag": []})
    assert {one["key"] for one in described} >= {key.name for key in KEYS} | {"spec.policy.threshold"}
    for one in described:
        assert one["help"], one
        assert one["operators"], one
        Filter(one["example"])


# ---- finding -----------------------------------------------------------------------------------------------


@pytest.fixture
def made(database: Database) -> dict[str, str]:
    """Give five runs by a letter: two policies with settings, one simulated, one archived, one in the bin."""
    specs: dict[str, dict[str, Any]] = {
        "a": {"name": "Grid 3", "policy": {"name": "ssp", "threshold": 4}, "cluster": {"num_workers": 8}},
        "b": {"name": "100%_sure", "policy": {"name": "foresync"}, "task": {"learning_rate": 0.5}},
        "c": {"name": "grid 30", "policy": {"name": "ssp", "threshold": 2}, "cluster": {"launcher": "virtual"}},
        "d": {"name": "put away", "task": {"model": "lenet5", "dataset": "fashion-mnist"}},
        "e": {"name": "deleted", "stop": {"target": {"value": 0.5}}},
    }
    by_letter = {}
    with database.write() as session:
        for index, (letter, run) in enumerate(specs.items()):
            experiment_id = small_experiment(session, f"experiment {letter}", run=run, seeds=[index])
            by_letter[letter] = experiments.get(session, experiment_id).run_ids[0]
        figures = {
            "a": {"utilisation": 0.96, "time_to_target_s": 30.0, "created_at": NOW - timedelta(days=10)},
            "b": {"utilisation": 0.5, "state": "failed", "created_at": NOW - timedelta(hours=2)},
            "c": {"time_to_target_s": 90.0, "state": "completed", "created_at": datetime(2026, 11, 1, 5, tzinfo=UTC)},
        }
        for letter, values in figures.items():
            session.execute(update(Run).where(Run.id == by_letter[letter]).values(values))
        runs.patch(session, by_letter["a"], tags=["paper", "old"], notes="A plateau.")
        runs.patch(session, by_letter["b"], tags=["paper fig. 3"])
        runs.patch(session, by_letter["d"], is_archived=True)
        bulk.apply(session, "delete", [by_letter["e"]])
        baseline.pin(session, by_letter["a"])
    return by_letter


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("", "abc"),
        ("policy:ssp", "ac"),
        ("policy:ssp,foresync", "abc"),
        ("policy!=ssp", "b"),
        ("-policy:ssp", "b"),
        ("policy:SSP", ""),
        ("state:queued", "a"),
        ("state:failed,completed", "bc"),
        ("-state:failed,completed", "a"),
        ("tag:paper", "a"),
        ('tag:"paper fig. 3"', "b"),
        ("tag:paper tag:old", "a"),
        ("-tag:old", "bc"),
        ("tag:none", "c"),
        ("tag!=old", "bc"),
        ("utilisation>=0.95", "a"),
        ("utilisation>=95%", "a"),
        ("utilisation<0.95", "b"),
        ("-utilisation>=0.95", "bc"),
        ("utilisation:none", "c"),
        ("-utilisation:none", "ab"),
        ("utilisation!=0.5", "ac"),
        ("time_to_target<60", "a"),
        ("time_to_target<=1.5min", "ac"),
        ("seed:1", "b"),
        ("seed:0,1", "ab"),
        ("seed>=1.5", "c"),
        ("workers>=8", "a"),
        ("workers=4", "bc"),
        ("dataset:digits", "abc"),
        ("model:lenet5 is:archived", "d"),
        ("simulated:yes", "c"),
        ("simulated:no", "ab"),
        ("is:simulated", "c"),
        ("is:active", "a"),
        ("is:finished", "bc"),
        ("is:baseline", "a"),
        ("is:archived", "d"),
        ("is:deleted", "e"),
        ("is:archived or policy:ssp", "acd"),
        ("-is:archived", "abc"),
        ("grid", "ac"),
        ('"grid 3"', "ac"),
        ('name="Grid 3"', "a"),
        ('name:"grid 3" seed:0', "a"),
        ("%_", "b"),
        ("GRID", "ac"),
        ("paper", "ab"),
        ('experiment:"experiment a"', "a"),
        ('experiment="experiment"', ""),
        ("notes:PLATEAU", "a"),
        ("notes:none", "bc"),
        ("created>-7d", "b"),
        ("created<-7d", "ac"),
        ("created:2026-11-01", "c"),
        ("created:2026-11", "abc"),
        ("created>2026-11-01", "ab"),
        ("created>=2026-11-01", "abc"),
        ("created<=2026-11-12", "ac"),
        ("created<2026-11-12", "c"),
        ("created<2026-11-01T05:30", "c"),
        ("created:today", "b"),
        ("started:none", "abc"),
        ("spec.policy.threshold>=4", "a"),
        ("spec.policy.threshold:2", "c"),
        ("spec.policy.threshold:2,4", "ac"),
        ("spec.policy.threshold:none", "b"),
        ("-spec.policy.threshold:none", "ac"),
        ("spec.policy.threshold!=4", "bc"),
        ("-spec.policy.threshold>=3", "bc"),
        ("spec.task.learning_rate<0.5", "ac"),
        ("spec.task.learning_rate=0.5", "b"),
        ("spec.policy.name:ssp", "ac"),
        ("spec.cluster.launcher:virtual", "c"),
        ("spec.seed>=1 spec.name:grid", ""),
        ('spec.name:"grid 30" spec.seed:2', "c"),
        ("spec.stop.target.value:0.5 is:deleted", "e"),
        ("(seed:0 or seed:1) -policy:foresync", "a"),
        ("seed:0 or seed:1 policy:ssp", "a"),
        ("not (policy:ssp and workers>=8)", "bc"),
    ],
)
def test_a_filter_finds(database: Database, made: dict[str, str], text: str, letters: str) -> None:
    read = Filter(text, NOW)
    shown = listing.Wanted(RunFilter(expression=text))._shown
    with database.read() as session:
        found = set(session.scalars(select(Run.id).where(*shown, read.condition(read.node))))
    assert "".join(letter for letter, run_id in made.items() if run_id in found) == letters


def test_an_id_finds_its_run(database: Database, made: dict[str, str]) -> None:
    with database.read() as session:
        page = listing.list_rows(session, RunFilter(expression=f"id:{made['b']},{made['c']} -id:{made['c']}"))
        of_one = listing.list_rows(session, RunFilter(expression=f"experiment_id:{page.rows[0]['experiment_id']}"))
    assert [row["id"] for row in page.rows] == [row["id"] for row in of_one.rows] == [made["b"]]
