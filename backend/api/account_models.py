"""What `/runs/{run_id}/account` answers. Seconds on the run's clock; docs/accounting.md says what each part means."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from backend.api.schemas import Model

Basis = Literal["measured", "simulated", "predicted"]


class AccountPart(Model):
    """One part of the wall time."""

    key: str
    label: str
    meaning: str


class AccountParts(Model):
    """Seconds by part; with the unaccounted ones they add up to the wall time."""

    compute: float
    overlap: float
    stall: float
    startup: float
    up: float
    server: float
    wait: float
    down: float
    lost: float
    stopped: float
    unfinished: float


class AccountScore(Model):
    """Predictions held against what happened. An error is what happened minus what was predicted."""

    num: int
    coverage: float = Field(description="Share that fell inside the predicted 5-95% window.")
    bias_s: float = Field(description="Mean error: > 0 is later than predicted.")
    mean_error_s: float = Field(description="Mean size of the error.")
    bias_share: float = Field(description="As a share of the iteration, or of the time since the last update.")
    mean_error_share: float
    mean_width_s: float
    mean_width_share: float


class AccountWorker(Model):
    worker: int
    num_lives: int
    is_there: bool = Field(description="It has joined and not left.")
    wall_s: float = Field(description="From its first joining to its last end, or to now.")
    parts: AccountParts
    unaccounted_s: float
    wait_kinds: dict[str, float] = Field(description="Seconds of waiting by why; labels stand in `wait_labels`.")
    caused_s: float = Field(description="How long others waited for it.")
    num_iterations: int
    mean_staleness: float | None
    forecasts: AccountScore | None = Field(description="Of the ends of its iterations; null: none was judged.")


class AccountTotal(Model):
    """Sums over all workers."""

    wall_s: float
    parts: AccountParts
    unaccounted_s: float
    wait_kinds: dict[str, float]
    num_iterations: int


class AccountMatrix(Model):
    """Who waited for whom. A row for each worker that waits, a column for each that is waited for."""

    workers: list[int]
    seconds: list[list[float]]
    nobody_s: list[float] = Field(description="Waiting for which the gate has named nobody.")


class AccountSentence(Model):
    sentence: str = Field(description='What the gate said; "": nothing.')
    kind: str
    seconds: float
    num: int


class AccountSentences(Model):
    top: list[AccountSentence] = Field(description="Those that cost most, the dearest first.")
    others_s: float
    num_others: int


class AccountCritical(Model):
    """For equal slices of time from 0 on: who was waited for most."""

    slice_s: float
    workers: list[int | None] = Field(description="null: nobody was waited for.")
    seconds: list[float] = Field(description="How long all others together waited for that worker.")
    waited_s: list[float] = Field(description="How long all workers together waited, for whomever.")


class AccountCounts(Model):
    """A distribution of whole numbers; bars of equal width without gaps."""

    num: int
    mean: float | None
    median: int | None
    p95: int | None
    max: int | None
    width: int
    first: int = Field(description="Least number of the first bar.")
    bars: list[int]


class AccountAmount(Model):
    num_iterations: int
    seconds: float = Field(description="Compute time of these iterations.")


class AccountWork(Model):
    """What the computing was good for."""

    applied: AccountAmount = Field(description="Their updates are in the global weights.")
    pending: AccountAmount = Field(description="Done, and neither sent nor applied yet.")
    discarded: AccountAmount = Field(description="Dropped by the policy.")
    dropped: AccountAmount = Field(description="Sent, but the run ended before they were applied.")
    unsent: AccountAmount = Field(description="Done, but their worker left before it sent them.")
    unfinished_s: float = Field(description="Time of iterations and messages whose end is not told.")
    num_rolled_back: int = Field(description="Iterations that were applied after the checkpoint a resume went back to.")
    target_at_s: float | None
    after_target: AccountAmount | None = Field(
        description="Done after the target was reached, in whichever of the above."
    )


class AccountBytes(Model):
    node: str
    sent_bytes: int
    received_bytes: int
    known_by: Literal["gauge", "exchanges"] = Field(
        description="A gauge counts all payload, up to its last sample; exchanges count what was answered."
    )


class AccountEvaluations(Model):
    """They run beside the training: no worker waits for them."""

    num: int
    seconds: float


class AccountErrorBars(Model):
    """Errors of iterations' forecasts as a share of the iteration; the middle bar is around 0, the outer ones open."""

    width: float
    counts: list[int]


class AccountPredictions(Model):
    first_plans: AccountScore | None = Field(description="Each sync window as it was first predicted.")
    last_plans: AccountScore | None = Field(description="Each sync window as it was last predicted.")
    iterations: AccountScore | None
    error_bars: AccountErrorBars
    num_warm_up: int = Field(description="First iterations of each life whose forecasts are not judged.")


class AccountBases(Model):
    """What each group of figures rests on."""

    times: Basis
    bytes: Basis
    predictions: Basis


class Account(Model):
    """Where the time of a run went, and for whom and why its workers waited."""

    run_id: str
    answer: list[str] = Field(description="The account in sentences.")
    basis: AccountBases
    is_complete: bool = Field(description="All stored events are counted; else ask again: the counting goes on.")
    counted_share: float = Field(description="Share of the stored events that are counted.")
    is_finished: bool = Field(description="The run's closing event is counted.")
    until_s: float = Field(description="Time of the newest event that is counted.")
    num_events: int = Field(description="Events that were read for it.")
    part_words: list[AccountPart] = Field(description="The parts in the order in which they are drawn.")
    wait_labels: dict[str, str]
    workers: list[AccountWorker]
    total: AccountTotal
    waits_for: AccountMatrix
    sentences: AccountSentences
    critical: AccountCritical
    staleness: AccountCounts = Field(description="In updates, one for each contribution that was applied.")
    lead: AccountCounts = Field(description="In iterations over the slowest worker, at the arrival of each push.")
    work: AccountWork
    bytes: list[AccountBytes]
    evaluations: AccountEvaluations
    predictions: AccountPredictions
