"""A worker's weights, its own steps that are not in what it pulled, and the merge of both.

Three ways to merge, told by the directive that comes with the pulled weights (`predictor.events.Directive`):

    "steps"      own = (pushed deltas that are not acknowledged) + (steps since the last push)
                 weights = pulled + alpha x own; a push carries the steps since the last one
    "agreement"  the same with an alpha that is estimated, see `Agreement`
    "anchor"     weights = pulled + alpha x (weights - pulled); a push carries weights - (what was pulled last)
                 (Overlap-Local-SGD, Wang et al. 2020, arXiv:2002.09539)

Invariants of "steps" and "agreement": `own` holds exactly the steps that are not in the pulled weights; every step is
in exactly one delta. So with the server's scales, first weights + sum of scale x delta = global weights. A bounded push
may be shortened when it is cut; what is taken off is given up, here at the next merge and there from the start.

No clock, no transport: a live worker and one in virtual time use the same class.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Sequence

import torch

from predictor.events import Directive

# METHOD section 5, where the ablations are.
FIRST_ALPHA = 0.5  # until a pull has acknowledged a push
DECAY = 0.95  # of the sums at each pull that acknowledges something
CAUTION = 0.85  # share of the measured agreement that is trusted
NUM_USUAL = 20  # pushes of a worker whose median length is the usual one


class Agreement:
    """How well a worker's own steps have agreed with the global movement: the alpha of METHOD section 5.

    The cosine of two vectors over the same span, smoothed by smoothing its three products: `own`, the sum of the
    deltas that a pull acknowledges, and `moved`, by how much the pulled weights differ from those pulled before.
    Where all workers move alike alpha is near 1, where own steps say nothing of the global movement it is near 0.
    """

    def __init__(self) -> None:
        self._alpha = FIRST_ALPHA
        self._both = self._own = self._moved = 0.0  # A, B, C

    def observe(self, own: torch.Tensor, moved: torch.Tensor) -> None:
        """Take in one acknowledgement; three dot products of flat vectors of the same length."""
        self._both = DECAY * self._both + float(own @ moved)
        self._own = DECAY * self._own + float(own @ own)
        self._moved = DECAY * self._moved + float(moved @ moved)
        if self._own > 0 and self._moved > 0:
            self._alpha = CAUTION * max(0.0, self._both) / (math.sqrt(self._own) * math.sqrt(self._moved))

    def alpha(self, floor: float) -> float:
        """Give the share of its own steps that the worker keeps, in [floor, 1]; `floor` <= 1."""
        return min(1.0, max(floor, self._alpha))


class UsualLength:
    """How long a worker's pushes usually are, per iteration: the median of the last ones (Euclidean norms)."""

    def __init__(self) -> None:
        self._lengths: deque[float] = deque(maxlen=NUM_USUAL)

    def share(self, length: float) -> float:
        """Give the share in (0, 1] of a push that is kept, so that it is no longer than usual; remember its length."""
        usual = statistics.median(self._lengths) if self._lengths else math.inf
        self._lengths.append(length)
        return usual / length if length > usual > 0 else 1.0


class OwnSteps:
    """Vectors are flat float32 of one length. What a way of merging does not need is not allocated."""

    def __init__(self, weights: torch.Tensor, iteration: int = 0) -> None:
        """Hold nothing, after `iteration` iterations that are all in the global weights.

        Args:
            weights: the worker's; changed in place by `add` and `merge`.
            iteration: completed count.
        """
        self._weights = weights
        self._since_push: torch.Tensor | None = None  # sum of the steps since the last push; None: zero, or anchored
        self._num_since_push = 0
        self._pushed: deque[tuple[int, torch.Tensor]] = deque()  # (iteration, delta), not acknowledged
        self._pushed_at = iteration
        self._pulled: torch.Tensor | None = None  # copy of what was pulled last, where the way of merging needs it
        self._has_pulled = self._is_anchored = self._is_bounded = False
        self._usual_length = UsualLength()
        self._agreement = Agreement()

    @property
    def is_in_flight(self) -> bool:
        """Tell whether a push was not acknowledged yet."""
        return bool(self._pushed)

    @property
    def in_flight(self) -> list[int]:
        """Give the iterations of the pushes that were not acknowledged yet, oldest first."""
        return [iteration for iteration, _ in self._pushed]

    @property
    def pushed_at(self) -> int:
        """Give the iteration of the newest push."""
        return self._pushed_at

    def add(self, step: torch.Tensor) -> None:
        """Make the step of one iteration; the caller may write to `step` afterwards."""
        self._weights.add_(step)
        self._num_since_push += 1
        if self._is_anchored:
            return
        if self._since_push is None:
            self._since_push = step.clone()
        else:
            self._since_push.add_(step)

    def cut(self, iteration: int) -> tuple[torch.Tensor, int]:
        """Take what the push of `iteration` carries: the delta and the number of iterations that it sums up.

        The delta belongs to the transport from now on: nobody writes to it again.
        """
        num_iterations = self._num_since_push
        assert num_iterations > 0, "there is nothing to push"
        delta = self._from_anchor() if self._is_anchored else self._since_push
        assert delta is not None, "each step was added to it"
        if self._is_bounded and not self._is_anchored:
            share = self._usual_length.share(float(delta.norm()) / num_iterations)
            if share < 1:
                delta.mul_(share)
        self._pushed.append((iteration, delta))
        self._pushed_at = iteration
        self._since_push = None
        self._num_since_push = 0
        return delta, num_iterations

    def merge(self, pieces: Sequence[torch.Tensor], acknowledged: int, directive: Directive) -> None:
        """Go on from pulled weights and the own steps that are not in them. Pulls are merged in their order.

        Args:
            pieces: what was pulled, in consecutive flat pieces.
            acknowledged: own iterations up to this one are settled: in what was pulled, or discarded.
            directive: that came with it.
        """
        settled = self._acknowledge(acknowledged)
        self._is_bounded = directive.is_bounded
        is_anchored = directive.merge == "anchor"
        if is_anchored != self._is_anchored:  # what the next push carries goes over from one way to the other
            self._since_push = None if is_anchored else self._from_anchor()
            self._is_anchored = is_anchored
        if is_anchored and self._has_pulled:
            self._pulled = torch.empty_like(self._weights) if self._pulled is None else self._pulled
            _join(pieces, self._pulled)
            torch.lerp(self._pulled, self._weights, directive.alpha, out=self._weights)
            return
        _join(pieces, self._weights)
        self._has_pulled = True
        alpha = self._agreed_alpha(settled, directive.alpha) if directive.merge == "agreement" else directive.alpha
        self._keep_pulled(directive)
        self._add_own(alpha)

    # ---- inside -----------------------------------------------------------------------------------------

    def _acknowledge(self, iteration: int) -> list[torch.Tensor]:
        """Forget the pushes up to `iteration`, which are settled, and give their deltas."""
        settled = []
        while self._pushed and self._pushed[0][0] <= iteration:
            settled.append(self._pushed.popleft()[1])
        return settled

    def _agreed_alpha(self, settled: list[torch.Tensor], floor: float) -> float:
        """Compare what was settled with the movement since the last pull, whose copy is overwritten with it."""
        if settled and self._pulled is not None:
            moved = torch.sub(self._weights, self._pulled, out=self._pulled)
            self._agreement.observe(sum(settled[1:], settled[0]), moved)
        return self._agreement.alpha(floor)

    def _keep_pulled(self, directive: Directive) -> None:
        """Copy what was pulled, which now is in the weights, where the next merge or push compares with it."""
        if directive.merge == "steps":
            self._pulled = None
        elif self._pulled is None:
            self._pulled = self._weights.clone()
        else:
            self._pulled.copy_(self._weights)

    def _add_own(self, alpha: float) -> None:
        if alpha == 0:
            return
        for _, delta in self._pushed:
            self._weights.add_(delta, alpha=alpha)
        if self._since_push is not None:
            self._weights.add_(self._since_push, alpha=alpha)

    def _from_anchor(self) -> torch.Tensor:
        assert self._pulled is not None, "a worker is anchored to what it has pulled"
        return self._weights - self._pulled


def _join(pieces: Sequence[torch.Tensor], target: torch.Tensor) -> None:
    """Copy consecutive pieces into one flat vector."""
    start = 0
    for piece in pieces:
        target[start : start + piece.numel()] = piece
        start += piece.numel()
    assert start == target.numel(), f"{target.numel()} numbers were wanted, {start} came"
