/** What the policy forecasts for each iteration of a worker, beside what happened. */

import type { EventOf } from "./events";
import { lowerBound, upperBound } from "./search";
import { enlarge } from "./series";

export const WARM_UP = 20; // iterations of a life that are not judged, as in `predictor/worker_totals.py`

/** The forecast of one iteration. Times are on the run's clock. */
export interface IterationForecast {
  iteration: number;
  startedS: number;
  expectedS: number;
  lowS: number;
  highS: number; // of the 5-95% window
  endedS: number; // NaN until it happened, infinite if it never did
}

/** How forecasts held: sums over those that were judged. */
export interface Score {
  num: number;
  numCovered: number; // ended inside their window
  errorShare: number; // sum of the absolute error, as a share of how long the iteration took
  widthShare: number; // likewise of the width of the window
}

/** Of the forecasts that were judged, those whose iteration ended after its window, and before it. */
export interface Misses {
  num: number; // judged
  numLate: number;
  numEarly: number;
}

const FIRST_CAPACITY = 32;
const NEAR = 3; // rows that are looked at for an iteration, around its time

/**
 * The forecasts of one worker's iterations, in the order of their starts.
 *
 * Adding one and holding it against what happened is O(1) amortised. A row takes 40 bytes: a run can have a million,
 * so what follows the start is kept as seconds since then. Both sides come by the gate's own stream, whose order
 * stands: a forecast is followed by the message that tells of its iteration's end.
 */
export class ForecastTrack {
  length = 0;
  readonly score: Score = { num: 0, numCovered: 0, errorShare: 0, widthShare: 0 };
  started = new Float64Array(FIRST_CAPACITY);
  private iteration = new Int32Array(FIRST_CAPACITY);
  private expected = new Float32Array(FIRST_CAPACITY);
  private low = new Float32Array(FIRST_CAPACITY);
  private high = new Float32Array(FIRST_CAPACITY);
  private took = new Float32Array(FIRST_CAPACITY); // NaN: still runs; infinite: never ended
  // Sums over the rows up to this one, so that a stretch is told from its two ends.
  private numJudged = new Uint32Array(FIRST_CAPACITY);
  private numLate = new Uint32Array(FIRST_CAPACITY);
  private numEarly = new Uint32Array(FIRST_CAPACITY);
  private before: Misses = { num: 0, numLate: 0, numEarly: 0 }; // the sums over what was let go
  private judgedFrom = WARM_UP + 1; // the first iteration of the present life that is judged
  private open: IterationForecast | null = null; // of the running iteration, exact; the last row

  /** Start a life after so many iterations: its forecaster begins anew. */
  begin(iteration: number): void {
    this.drop();
    this.judgedFrom = iteration + WARM_UP + 1;
  }

  /** Keep the forecast of the iteration that has just begun. */
  add(event: EventOf<"ForecastUpdated">): void {
    this.drop();
    if (this.length === this.started.length) this.grow();
    const i = this.length++;
    const startedS = event.started_at_s;
    this.started[i] = startedS;
    this.iteration[i] = event.iteration;
    this.expected[i] = event.expected_at_s - startedS;
    this.low[i] = event.low_at_s - startedS;
    this.high[i] = event.high_at_s - startedS;
    this.took[i] = NaN;
    const { num, numLate, numEarly } = this.sumsUntil(i);
    this.numJudged[i] = num;
    this.numLate[i] = numLate;
    this.numEarly[i] = numEarly;
    const { iteration, expected_at_s: expectedS, low_at_s: lowS, high_at_s: highS } = event;
    this.open = { iteration, startedS, expectedS, lowS, highS, endedS: NaN };
  }

  /** An iteration has ended. */
  end(iteration: number, endedS: number): void {
    const { open } = this;
    if (open?.iteration !== iteration) {
      this.drop();
      return;
    }
    this.open = null;
    const tookS = endedS - open.startedS;
    this.took[this.length - 1] = tookS;
    if (iteration < this.judgedFrom || !(tookS > 0)) return;
    const last = this.length - 1;
    (this.numJudged[last] as number) += 1;
    if (endedS > open.highS) (this.numLate[last] as number) += 1;
    else if (endedS < open.lowS) (this.numEarly[last] as number) += 1;
    this.score.num += 1;
    this.score.numCovered += endedS >= open.lowS && endedS <= open.highS ? 1 : 0;
    this.score.errorShare += Math.abs(endedS - open.expectedS) / tookS;
    this.score.widthShare += (open.highS - open.lowS) / tookS;
  }

  /** What was forecast and has not happened will not happen any more. */
  drop(): void {
    if (this.open) this.took[this.length - 1] = Infinity;
    this.open = null;
  }

  /** The forecast of the running iteration, or null. */
  get running(): IterationForecast | null {
    return this.open;
  }

  at(i: number): IterationForecast {
    const startedS = this.started[i] as number;
    return {
      iteration: this.iteration[i] as number,
      startedS,
      expectedS: startedS + (this.expected[i] as number),
      lowS: startedS + (this.low[i] as number),
      highS: startedS + (this.high[i] as number),
      endedS: startedS + (this.took[i] as number),
    };
  }

  /** Give the forecast of an iteration that is known to have run at `atS`, or null. */
  of(iteration: number, atS: number): IterationForecast | null {
    const last = upperBound(this.started, this.length, atS);
    for (let i = Math.min(last, this.length - 1); i >= Math.max(0, last - NEAR); i--) {
      if (this.iteration[i] === iteration) return this.at(i);
    }
    return null;
  }

  /** Give the index of the first forecast whose iteration started at or after `atS`. */
  indexAt(atS: number): number {
    return lowerBound(this.started, this.length, atS);
  }

  /** Give how the forecasts with an index from `first` until before `end` were missed. */
  missesBetween(first: number, end: number): Misses {
    const [from, to] = [this.sumsUntil(first), this.sumsUntil(end)];
    return { num: to.num - from.num, numLate: to.numLate - from.numLate, numEarly: to.numEarly - from.numEarly };
  }

  /** Give the sums over all rows before `end`, and over those that were let go. */
  private sumsUntil(end: number): Misses {
    if (end === 0) return this.before;
    const [num, numLate, numEarly] = [this.numJudged[end - 1], this.numLate[end - 1], this.numEarly[end - 1]];
    return { num: num as number, numLate: numLate as number, numEarly: numEarly as number };
  }

  /** Let go of the forecasts of iterations that were over at `untilS`; the score is of all of them. */
  forget(untilS: number): void {
    const num = this.indexAt(untilS) - 1; // the one before may have lasted longer
    if (num <= 0) return;
    this.before = this.sumsUntil(num);
    const { started, iteration, expected, low, high, took, numJudged, numLate, numEarly } = this;
    for (const column of [started, iteration, expected, low, high, took, numJudged, numLate, numEarly]) {
      column.copyWithin(0, num, this.length);
    }
    this.length -= num;
  }

  private grow(): void {
    const capacity = this.length * 2;
    this.started = enlarge(this.started, new Float64Array(capacity));
    this.iteration = enlarge(this.iteration, new Int32Array(capacity));
    this.expected = enlarge(this.expected, new Float32Array(capacity));
    this.low = enlarge(this.low, new Float32Array(capacity));
    this.high = enlarge(this.high, new Float32Array(capacity));
    this.took = enlarge(this.took, new Float32Array(capacity));
    this.numJudged = enlarge(this.numJudged, new Uint32Array(capacity));
    this.numLate = enlarge(this.numLate, new Uint32Array(capacity));
    this.numEarly = enlarge(this.numEarly, new Uint32Array(capacity));
  }
}

/** Give how the forecasts of several workers held together. */
export function pool(tracks: readonly ForecastTrack[]): Score {
  const sum: Score = { num: 0, numCovered: 0, errorShare: 0, widthShare: 0 };
  for (const { score } of tracks) {
    sum.num += score.num;
    sum.numCovered += score.numCovered;
    sum.errorShare += score.errorShare;
    sum.widthShare += score.widthShare;
  }
  return sum;
}
