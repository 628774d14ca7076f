/** What the charts show, computed from the fold for the stretch of time that is seen. */

import { addShares, countsWithin, noShares } from "../store/figures";
import type { RunModel } from "../store/model";

/** Equal parts of time, bound to the time grid, so that a scrolling curve keeps its shape. */
export interface Buckets {
  first: number; // index of the first one; bucket i covers [i * stepS, (i + 1) * stepS)
  num: number;
  stepS: number;
}

/** Cut the stretch into about `num` buckets, with one more at each end. */
export function bucketsOf(fromS: number, lengthS: number, num: number): Buckets {
  const stepS = lengthS / num;
  return { first: Math.floor(fromS / stepS) - 1, num: num + 3, stepS };
}

type Column = (number | null)[];

/** Columns for the chart of loss and accuracy; one x for all of them. Null breaks a line, undefined does not. */
export interface LossData {
  x: number[];
  training: (number | null | undefined)[];
  test: Column;
  accuracy: Column;
}

const MOST_EVALUATIONS = 400; // points in sight, above which some are left out

/**
 * Give the mean training loss of each bucket, and each evaluation in sight (with the line to the next one beyond each edge).
 *
 * Nothing trained while the run was stopped: the training loss breaks where the run was resumed.
 */
export function lossData(model: RunModel, { first, num, stepS }: Buckets): LossData {
  const { trainLoss, evaluations } = model;
  const rows: { x: number; training?: number | null; test: number | null; accuracy: number | null }[] = [];
  const pastS = model.past?.untilS ?? -Infinity;
  let from = trainLoss.indexAt(first * stepS);
  for (let i = first; i < first + num; i++) {
    if (i * stepS < pastS) {
      const { losses, lossSum } = countsWithin(model, i * stepS, (i + 1) * stepS);
      if (losses > 0) rows.push({ x: (i + 0.5) * stepS, training: lossSum / losses, test: null, accuracy: null });
      from = trainLoss.indexAt((i + 1) * stepS);
      continue;
    }
    const to = trainLoss.indexAt((i + 1) * stepS);
    if (to > from) rows.push({ x: (i + 0.5) * stepS, training: trainLoss.sum(from, to) / (to - from), test: null, accuracy: null });
    from = to;
  }
  const begin = Math.max(0, evaluations.indexAt(first * stepS) - 1);
  const end = Math.min(evaluations.length, evaluations.indexAt((first + num) * stepS) + 1);
  const stride = Math.ceil((end - begin) / MOST_EVALUATIONS) || 1;
  for (let i = begin; i < end; i++) {
    if (i % stride !== 0 && i !== end - 1) continue;
    // A line that reaches far out of sight is cut, since a dashed one costs by its length.
    const atS = Math.min(Math.max(evaluations.at[i] as number, first * stepS), (first + num) * stepS);
    const valueOf = (column: "loss" | "accuracy") => finite(between(evaluations, i, column, atS));
    rows.push({ x: atS, test: valueOf("loss"), accuracy: valueOf("accuracy") });
  }
  for (const { kind, atS } of model.entries) {
    if (kind !== "resumed" || atS < first * stepS || atS > (first + num) * stepS) continue;
    rows.push({ x: atS, training: null, test: null, accuracy: null });
  }
  rows.sort((a, b) => a.x - b.x);
  for (const step of [1, -1]) widenBreaks(rows, step); // an evaluation beside a break must not carry the line on
  return {
    x: rows.map(({ x }) => x),
    training: rows.map(({ training }) => training),
    test: rows.map(({ test }) => test),
    accuracy: rows.map(({ accuracy }) => accuracy),
  };
}

/** Let breaks of the training loss reach to the next value, to the right (step 1) or to the left (-1). */
function widenBreaks(rows: { training?: number | null }[], step: number): void {
  let isBroken = false;
  for (let i = step > 0 ? 0 : rows.length - 1; i >= 0 && i < rows.length; i += step) {
    const row = rows[i] as { training?: number | null };
    if (row.training === undefined && isBroken) row.training = null;
    isBroken = row.training === null;
  }
}

/** Give a value of the i-th evaluation, or, at another time, of the line to its neighbour there. */
function between(evaluations: RunModel["evaluations"], i: number, column: "loss" | "accuracy", atS: number): number {
  const ownS = evaluations.at[i] as number;
  const next = atS > ownS ? i + 1 : i - 1;
  const own = evaluations.get(i, column);
  if (atS === ownS || next < 0 || next >= evaluations.length) return own;
  const part = (atS - ownS) / ((evaluations.at[next] as number) - ownS);
  return own + part * (evaluations.get(next, column) - own);
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null); // a diverged loss is a gap

export const MOST_BANDS = 16;

/** Give the groups of workers that the bands of the chart of waiting stand for: one each, or several. */
export function bandsOf(numWorkers: number): number[][] {
  const size = Math.max(1, Math.ceil(numWorkers / MOST_BANDS));
  const bands: number[][] = [];
  for (let from = 0; from < numWorkers; from += size) {
    bands.push(Array.from({ length: Math.min(size, numWorkers - from) }, (_, i) => from + i));
  }
  return bands;
}

/** Buckets that will not change any more, by index: how many workers of each band waited. */
export class WaitCache {
  private stepS = 0;
  private readonly rows = new Map<number, Float64Array>();

  /** Give the row of a bucket; a settled one is computed once, as long as the grid stays the same. */
  row(index: number, stepS: number, isSettled: boolean, compute: () => Float64Array): Float64Array {
    if (stepS !== this.stepS || this.rows.size > 10_000) this.rows.clear();
    this.stepS = stepS;
    const known = this.rows.get(index);
    if (known) return known;
    const row = compute();
    if (isSettled) this.rows.set(index, row);
    return row;
  }
}

/**
 * Give, for each bucket, how many workers were waiting on average, summed up band by band: row b holds the
 * bands 0 to b. Null where nothing is known (before the start, after now).
 */
export function waitingData(
  model: RunModel,
  { first, num, stepS }: Buckets,
  bands: readonly number[][],
  nowS: number,
  cache: WaitCache,
): { x: number[]; sums: Column[] } {
  const nodes = new Map(model.workers.map((node) => [node.worker, node]));
  const settledS = settledUntil(model, nowS);
  const x = Array.from({ length: num }, (_, i) => (first + i) * stepS);
  const sums = bands.map(() => new Array<number | null>(num).fill(null));
  const compute = (fromS: number): Float64Array => {
    const row = new Float64Array(bands.length);
    const lengthS = Math.min(stepS, nowS - fromS);
    bands.forEach((workers, band) => {
      const shares = noShares();
      for (const worker of workers) {
        const node = nodes.get(worker);
        if (node) addShares(model, node, fromS, fromS + stepS, nowS, shares);
      }
      row[band] = shares.waitS / lengthS;
    });
    return row;
  };
  const { past } = model;
  const waited = past && first * stepS < past.untilS ? past.waiting(bands, first, num, stepS) : null;
  x.forEach((fromS, i) => {
    if (fromS + stepS <= 0 || fromS >= nowS) return;
    if (past && waited && fromS + stepS <= past.untilS) {
      let sum = 0;
      sums.forEach((column, band) => {
        sum += (waited[band * num + i] as number) / stepS;
        column[i] = sum;
      });
      return;
    }
    const isNew = !past || fromS >= past.untilS; // the past moves on
    const row = !isNew ? compute(fromS) : cache.row(first + i, stepS, fromS + stepS < settledS, () => compute(fromS));
    let sum = 0;
    sums.forEach((column, band) => {
      sum += row[band] as number;
      column[i] = sum;
    });
  });
  return { x, sums };
}

/** Give the time before which all is known of every worker that is still there. */
function settledUntil(model: RunModel, nowS: number): number {
  let untilS = nowS;
  for (const { track, goneS } of model.workers) if (goneS === null) untilS = Math.min(untilS, track.lastEndS ?? 0);
  return untilS - 1; // the streams of the log are joined late by less than this
}

/** Widen a range to round limits, so that it changes seldom while a curve scrolls through. */
export function roundRange(min: number, max: number): [number, number] {
  if (!(max - min > 1e-9 * Math.max(Math.abs(min), Math.abs(max)))) return [min === 0 ? 0 : min - Math.abs(min) / 10, max === 0 ? 1 : max + Math.abs(max) / 10];
  const raw = (max - min) / 3;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= raw) ?? raw;
  return [Math.floor(min / step) * step, Math.ceil(max / step) * step];
}
