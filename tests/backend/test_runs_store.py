"""Lists, filters and changes of runs and experiments, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.orm import Session

from backend.errors import BadValue, Conflict, NotFound
from backend.store import experiments, listing, progress, runs
from backend.store.database import Database
from backend.store.records import RunFilter, RunRecord
from backend.store.tables import Run
from predictor.spec import read_experiment, read_run
from tests.backend.checks import add_run, small_experiment

POLICIES = [{"name": "bsp"}, {"name": "ssp", "threshold": 3}, {"name": "predictive"}]


def everything(session: Session, wanted: RunFilter, sort: str, limit: int) -> list[RunRecord]:
    """Walk through all pages and check that they agree on the total."""
    page = listing.list_page(session, wanted, sort=sort, limit=limit)
    found = list(page.runs)
    while page.next_cursor:
        page = listing.list_page(session, wanted, sort=sort, limit=limit, cursor=page.next_cursor)
        assert page.runs
        found.extend(page.runs)
    assert page.total == len(found)
    return found


def test_an_experiment_has_the_runs_of_its_grid(database: Database) -> None:
    with database.write() as session:
        experiment_id = small_experiment(session, "grid", grid={"policy": POLICIES}, seeds=[1, 2])
    with database.read() as session:
        found = experiments.get(session, experiment_id)
        members = runs.of_experiment(session, experiment_id)
    assert (found.num_runs, found.num_done) == (6, 0)
    assert found.run_ids == tuple(run.id for run in members)
    assert [run.spec["policy"]["name"] for run in members] == ["bsp", "bsp", "ssp", "ssp", "predictive", "predictive"]
    assert [run.spec["seed"] for run in members] == [1, 2] * 3
    assert [run.queue_position for run in members] == [1, 2, 3, 4, 5, 6]
    assert members[0].created_at.tzinfo is UTC
    assert abs((datetime.now(UTC) - members[0].created_at).total_seconds()) < 600
    assert members[0].experiment_name == "grid"
    assert read_run(members[0].spec).cluster.num_workers == 4


def test_an_idempotency_key_makes_one_experiment(database: Database) -> None:
    spec = read_experiment({"name": "once", "run": {}})
    with database.write() as session:
        first = experiments.create(session, spec, idempotency_key="k")
    with database.write() as session:
        second = experiments.create(session, spec, idempotency_key="k")
        other = experiments.create(session, spec, idempotency_key="l")
    assert first[1]
    assert second == (first[0], False)
    assert other[1]
    with database.write() as session, pytest.raises(Conflict, match="'k' was used with another experiment"):
        experiments.create(session, read_experiment({"name": "twice", "run": {}}), idempotency_key="k")
    with database.write() as session:
        experiments.remove(session, first[0])
    with database.write() as session:
        assert experiments.create(session, spec, idempotency_key="k")[1]


def test_experiments_are_listed_newest_first(database: Database) -> None:
    with database.write() as session:
        made = [small_experiment(session, name, seeds=[1, 2]) for name in "abc"]
        first_run = experiments.get(session, made[0]).run_ids[0]
        progress.finish(session, first_run, "failed", "It failed.")
    with database.read() as session:
        listed = experiments.list_all(session)
    assert [record.id for record in listed] == made[::-1]
    assert [record.num_done for record in listed] == [0, 0, 1]
    assert all(record.num_runs == 2 for record in listed)


def test_filters(database: Database) -> None:
    with database.write() as session:
        first = experiments.get(session, small_experiment(session, "Wide Net", grid={"policy": POLICIES})).run_ids
        fashion = {"task": {"model": "lenet5", "dataset": "fashion-mnist"}}
        second = experiments.get(session, small_experiment(session, "100%_sure", run=fashion)).run_ids
        runs.patch(session, first[0], tags=["good", "Thesis chapter"], notes="To be shown.")
        runs.patch(session, first[1], tags=["good"], name="renamed")
        progress.finish(session, first[2], "failed", "It failed.")

    def ids(**wanted: object) -> set[str]:
        with database.read() as session:
            return {run.id for run in everything(session, RunFilter(**wanted), "name", 2)}  # type: ignore[arg-type]

    assert ids() == {*first, *second}
    assert ids(states=("failed",)) == {first[2]}
    assert ids(states=("failed", "queued")) == {*first, *second}
    assert ids(policies=("ssp",)) == {first[1]}
    assert ids(policies=("ssp", "bsp")) == {first[0], first[1]}
    assert ids(datasets=("fashion-mnist",)) == {*second}
    assert ids(tags=("good",)) == {first[0], first[1]}
    assert ids(tags=("good", "Thesis chapter")) == {first[0]}
    assert ids(tags=("goo",)) == set()
    assert ids(text="wide") == {*first}
    assert ids(text="RENAMED") == {first[1]}
    assert ids(text="chapter") == {first[0]}
    assert ids(text="%_") == {*second}  # no wildcards for users
    assert ids(text="a'; DROP TABLE runs; --") == set()
    assert ids(experiment_id=experiments_of(database, second[0])) == {*second}
    assert ids(experiment_id="nope") == set()
    assert ids(text="wide", policies=("predictive",), states=("failed",)) == {first[2]}


def experiments_of(database: Database, run_id: str) -> str:
    with database.read() as session:
        return runs.get(session, run_id).experiment_id


figures = st.one_of(st.none(), st.sampled_from([0.0, 0.25, 1 / 3, 1e-300, 3.5e7]))


@given(st.lists(figures, max_size=8), st.sampled_from(["final_accuracy", "-final_accuracy"]), st.integers(1, 4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_are_the_sorted_list_with_missing_figures_last(
    database: Database, values: list[float | None], sort: str, limit: int
) -> None:
    with database.write() as session:
        experiment_id = small_experiment(session, seeds=list(range(len(values) + 1)))
        made = list(experiments.get(session, experiment_id).run_ids)
        for run_id, value in zip(made, values, strict=False):
            session.execute(update(Run).where(Run.id == run_id).values(final_accuracy=value))
    accuracies = dict(zip(made, [*values, None], strict=True))
    with database.read() as session:
        found = [run.id for run in everything(session, RunFilter(experiment_id=experiment_id), sort, limit)]
    is_descending = sort.startswith("-")
    with_value = [run_id for run_id in made if accuracies[run_id] is not None]
    with_value.sort(key=lambda run_id: (accuracies[run_id], run_id), reverse=is_descending)
    without = sorted((run_id for run_id in made if accuracies[run_id] is None), reverse=is_descending)
    assert found == with_value + without


@pytest.mark.parametrize("sort", [*listing.SORTS, *(f"-{name}" for name in listing.SORTS)])
def test_every_sort_walks_through_all_runs(database: Database, sort: str) -> None:
    with database.write() as session:
        small_experiment(session, "a", grid={"policy": POLICIES})
        small_experiment(session, "B", seeds=[1, 2])
    with database.read() as session:
        found = everything(session, RunFilter(), sort, 2)
    assert len({run.id for run in found}) == 5
    key = sort.removeprefix("-")
    if key in ("created_at", "state"):
        values = [getattr(run, key) for run in found]
        assert values == sorted(values, reverse=sort.startswith("-"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sort": "loss"}, "sort must be one of created_at, name"),
        ({"limit": 0}, "limit must be from 1 to 1000, got 0"),
        ({"cursor": "%%%"}, "cursor must be the next_cursor of a page that was sorted by '-created_at'"),
        ({"cursor": "W10"}, "cursor must be"),
        ({"cursor": "WyItY3JlYXRlZF9hdCIsNSwieCJd"}, "cursor must be"),  # ["-created_at",5,"x"]
    ],
)
def test_wrong_questions_name_the_field(database: Database, arguments: dict[str, object], message: str) -> None:
    with database.read() as session, pytest.raises(BadValue, match=message):
        listing.list_page(session, RunFilter(), **arguments)  # type: ignore[arg-type]


def test_a_cursor_of_another_sort_is_refused(database: Database) -> None:
    with database.write() as session:
        small_experiment(session, seeds=[1, 2, 3])
    with database.read() as session:
        cursor = listing.list_page(session, RunFilter(), sort="name", limit=1).next_cursor
        with pytest.raises(BadValue, match="sorted by '-name'"):
            listing.list_page(session, RunFilter(), sort="-name", limit=1, cursor=cursor)
        with pytest.raises(BadValue, match="state must be one of queued"):
            listing.list_page(session, RunFilter(states=("dead",)))


def test_patch(database: Database) -> None:
    with database.write() as session:
        run_id = add_run(session)
        runs.patch(session, run_id, name=" New ", tags=["b", "a", "b "], notes="Änderung 🦊")
        runs.patch(session, run_id)
    with database.read() as session:
        found = runs.get(session, run_id)
    assert (found.name, found.tags, found.notes) == ("New", ("a", "b"), "Änderung 🦊")
    with database.write() as session:
        runs.patch(session, run_id, tags=[])
    with database.read() as session:
        assert runs.get(session, run_id).tags == ()
    for wrong in ({"name": "  "}, {"name": "x" * 121}, {"tags": [""]}, {"notes": "a\0b"}, {"notes": "\ud800"}):
        with pytest.raises(BadValue), database.write() as session:
            runs.patch(session, run_id, **wrong)  # type: ignore[arg-type]
    with pytest.raises(NotFound, match="There is no run 'nope'"), database.write() as session:
        runs.patch(session, "nope", name="x")


def test_a_spec_with_a_text_that_no_database_keeps_is_refused(database: Database) -> None:
    for text in ("a\0b", "\ud800"):
        spec = read_experiment({"name": "x", "run": {"task": {"data_dir": f"/data/{text}"}}})
        with pytest.raises(BadValue, match="must not hold NUL"), database.write() as session:
            experiments.create(session, spec)


def test_find_keeps_the_order_and_names_the_unknown(database: Database) -> None:
    with database.write() as session:
        made = [add_run(session) for _ in range(3)]
    with database.read() as session:
        assert [run.id for run in runs.find(session, [made[2], made[0], made[2]])] == [made[2], made[0], made[2]]
        with pytest.raises(NotFound, match="'nope'"):
            runs.find(session, [made[0], "nope"])


def test_the_queue_keeps_its_order(database: Database) -> None:
    with database.write() as session:
        made = [add_run(session) for _ in range(4)]
        assert progress.next_queued(session)[0] == made[0]  # type: ignore[index]
        progress.change(session, made[0], {"state": "running", "queue_place": None})
        assert progress.stop(session, made[1], "No longer wanted.") == "stopped"
        progress.lock(session, made[1])
        progress.enqueue_again(session, made[1], is_resume=False)
    with database.read() as session:
        queue = runs.queue(session)
        assert (queue.running, queue.waiting) == ((made[0],), (made[2], made[3], made[1]))
        assert runs.get(session, made[1]).queue_position == 3


def test_a_clone_outlives_its_parent(database: Database) -> None:
    with database.write() as session:
        parent = add_run(session)
        experiment_id = runs.get(session, parent).experiment_id
        (child,) = runs.create(session, experiment_id, [read_run({})], parent_id=parent)
        assert runs.get(session, child).parent_id == parent
        progress.remove(session, parent)
    with database.read() as session:
        assert runs.get(session, child).parent_id is None
        assert experiments.get(session, experiment_id).run_ids == (child,)
