"""ElasticBSP: a barrier at which the forecast ends lie closest together (Zhao et al. 2019, arXiv:2001.01347).

At each barrier the server takes every worker's last iteration time for all of its next `horizon` iterations, and
chooses with ZipLine (`predictor.policies.zipline`) one future end of each so that latest minus earliest is least.
On our wire: each worker is told with its release at which iteration to push, and waits there. At the barrier the mean
of the accumulated deltas is applied, and all are released.

The spread is not divided by the length of the superstep (as published), so workers that are alike meet after every
iteration as under BSP. A superstep is planned once, as published; who joins in its midst pushes after one iteration.
The interval is the compute time of the last iteration: within a superstep nothing travels. The cluster's
forecasters are not asked. The barrier that is expected stands in the log with its window (that is ours).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.events import Directive, IterationReported, PushArrived, Stimulus, WorkerLeft
from predictor.params import STRICT, param
from predictor.policies.base import BLOCKING_ALPHA, Cluster, Verdict, blocking
from predictor.policies.cut_forecast import CutForecast
from predictor.policies.rounds import Round, welcome
from predictor.policies.zipline import closest_meeting


@dataclass(frozen=True)
class ElasticBspParams:
    """Elastic bulk synchronous parallel: all wait for all, where their forecast ends lie closest together."""

    __pydantic_config__ = STRICT

    name: Literal["elastic_bsp"] = "elastic_bsp"
    horizon: Annotated[
        int, param("Iterations of each worker that are looked ahead for a barrier.", unit="iterations", ge=1, le=1000)
    ] = 15

    def build(self) -> ElasticBsp:
        return ElasticBsp(self)


class ElasticBsp:
    """See the head of this module. A decision costs O(1); at a barrier O(N R log(N R)) for the horizon R."""

    forecasts = False

    def __init__(self, params: ElasticBspParams) -> None:
        self.params = params
        self._round = Round()
        self._last_s: dict[int, float] = {}  # compute time of each member's last iteration
        self._cut = CutForecast()

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = Verdict()
        self._round.take(stimulus)
        self._cut.learn(stimulus)
        if isinstance(stimulus, PushArrived | IterationReported):
            self._last_s[stimulus.worker] = stimulus.compute_s
        elif isinstance(stimulus, WorkerLeft):
            self._last_s.pop(stimulus.worker, None)
        if self._round.is_complete(cluster):
            self._round.close(cluster, verdict)
            self._cut.close(cluster.now_s)
            self._release(cluster, verdict)
            return verdict
        if newcomer := self._round.newcomer(cluster, stimulus):
            verdict.release.append((newcomer.worker, blocking(newcomer.iteration), welcome(stimulus)))
        self._round.hold(cluster, stimulus, verdict)
        return verdict

    def _release(self, cluster: Cluster, verdict: Verdict) -> None:
        """Release everybody into a superstep that ends where the forecast ends lie closest together."""
        members = cluster.members.values()
        if not members:
            return
        # All start now; every member has pushed in this round, so its last iteration is known.
        numbers = range(1, self.params.horizon + 1)
        lengths_s = [self._last_s[member.worker] for member in members]
        meeting = closest_meeting([[length_s * num for num in numbers] for length_s in lengths_s])
        expected = f"the forecast ends lie within {meeting.spread_s:.3f} s, {meeting.at_s:.3f} s from now"
        begin_s = cluster.now_s + self._cut.down_s
        lasts = zip(members, lengths_s, meeting.num_ends, strict=True)
        ends_s = {member.worker: begin_s + length_s * num for member, length_s, num in lasts}
        verdict.plan = self._cut.plan(
            cluster.now_s, begin_s, ends_s, why=f"the forecast ends lie within {meeting.spread_s:.3f} s"
        )
        for member, num in zip(members, meeting.num_ends, strict=True):
            directive = Directive(member.iteration + num, max_ahead=0, alpha=BLOCKING_ALPHA)
            verdict.release.append(
                (member.worker, directive, f"next barrier at its iteration {directive.push_at}: {expected}")
            )
