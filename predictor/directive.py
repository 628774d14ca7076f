"""What a worker is told; part of the vocabulary (`predictor.events`)."""

from __future__ import annotations

from typing import Literal

from predictor.records import record

PushAfter = Literal["merged", "received"]
Merge = Literal["steps", "agreement", "anchor"]

NEVER_WAITS = 2**31 - 1  # as `Directive.max_ahead`


@record
class Directive:
    """All that a worker needs to be told until the next release (ARCHITECTURE, "The wire").

    A push is in flight until weights land that include it ("merged"); its delta has left the uplink earlier,
    when the server has it ("received"). `push_after` says which of both the next push must wait for. With "merged"
    a plan that crosses a push on the wire does no harm.

    How pulled weights are merged, with `own` = the worker's steps that are not in them:

    * "steps"      weights = pulled + alpha x own; a push carries the steps since the last one
    * "agreement"  the same, with an alpha that the worker estimates (METHOD section 5); `alpha` is its least value
    * "anchor"     weights = pulled + alpha x (weights - pulled); a push carries weights - pulled

    A bounded push (not with "anchor") that is longer than usual, per iteration, is shortened to what was usual.
    """

    push_at: int  # push at this iteration (completed count); past it: at the next boundary
    max_ahead: int  # iterations it may go on while a push is in flight; 0 = wait
    alpha: float  # share that is kept, see above
    push_after: PushAfter = "merged"
    merge: Merge = "steps"
    patience_s: float | None = None  # it waits where it pushes and the newest weights landed longer ago; None: never
    is_bounded: bool = False  # its long pushes are shortened
