/** Numbers drawn from the fold, for any stretch of time. All are measured (or simulated), none is predicted. */

import { workerOf, type Counts, type NodeModel, type RunModel } from "./model";
import { openSpans } from "./open";
import { Kind, NUM_KINDS } from "./spans";

/** Shares of the wall time of one worker or of all. */
export interface Shares {
  wallS: number;
  computeS: number; // both alone and during a synchronisation
  overlappedS: number;
  waitS: number;
  transferS: number;
}

const sums = new Float64Array(NUM_KINDS);

/**
 * Add what a worker did in [fromS, toS) to `shares`; what it is doing now counts up to `nowS`. Only its lives count,
 * from joining to leaving, as in the summary that the server keeps (`predictor/worker_totals.py`).
 */
export function addShares(model: RunModel, node: NodeModel, fromS: number, toS: number, nowS: number, shares: Shares): void {
  if (model.summary && fromS <= 0 && toS >= nowS && nowS >= model.lastS) {
    addWhole(model.summary, node, shares);
    return;
  }
  for (const life of node.lives) {
    const startS = Math.max(fromS, life.fromS);
    const endS = Math.min(toS, life.toS, nowS);
    if (endS > startS) addStretch(model, node, startS, endS, nowS, shares);
  }
}

/** Add what the server's summary knows of a worker's whole run. */
function addWhole({ workers }: NonNullable<RunModel["summary"]>, node: NodeModel, shares: Shares): void {
  const whole = workers.find(({ worker }) => worker === node.worker);
  if (!whole) return;
  shares.wallS += whole.wall_s;
  shares.computeS += whole.compute_s;
  shares.overlappedS += whole.overlapped_s;
  shares.waitS += whole.wait_s;
  shares.transferS += whole.transfer_s;
}

function addStretch(model: RunModel, node: NodeModel, startS: number, endS: number, nowS: number, shares: Shares): void {
  const { past } = model;
  const untilS = Math.min(past?.untilS ?? -Infinity, endS);
  node.track.sumWithin(Math.max(startS, untilS), endS, sums);
  if (untilS > startS) past?.addSeconds(node.worker, startS, untilS, sums);
  addSums(model, node, startS, endS, nowS, shares);
}

function addSums(model: RunModel, node: NodeModel, startS: number, endS: number, nowS: number, shares: Shares): void {
  if (endS > (node.track.lastEndS ?? startS)) {
    for (const span of openSpans(model, node, nowS)) {
      const overlapS = Math.min(span.endS, endS) - Math.max(span.startS, startS);
      if (overlapS > 0) sums[span.kind] = (sums[span.kind] as number) + overlapS;
    }
  }
  const overlappedS = sums[Kind.overlapped] as number;
  shares.wallS += endS - startS;
  shares.overlappedS += overlappedS;
  shares.computeS += (sums[Kind.compute] as number) + overlappedS;
  shares.waitS += sums[Kind.wait] as number;
  shares.transferS += (sums[Kind.up] as number) + (sums[Kind.down] as number);
}

export function noShares(): Shares {
  return { wallS: 0, computeS: 0, overlappedS: 0, waitS: 0, transferS: 0 };
}

export function sharesOf(model: RunModel, node: NodeModel, fromS: number, toS: number, nowS: number): Shares {
  const shares = noShares();
  addShares(model, node, fromS, toS, nowS, shares);
  return shares;
}

export function sharesOfAll(model: RunModel, fromS: number, toS: number, nowS: number): Shares {
  const shares = noShares();
  const { past } = model;
  if (past && toS <= past.untilS) {
    addAllPast(model, past, fromS, toS, shares);
    return shares;
  }
  for (const node of model.workers) addShares(model, node, fromS, toS, nowS, shares);
  return shares;
}

export function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

/** The five figures of the strip over [fromS, toS). */
export interface Figures {
  utilisation: number | null;
  waitShare: number | null;
  iterationsPerS: number | null;
  loss: number | null;
  bytesPerS: number | null;
}

/** The same as for one worker after the other, from one reading of the overview. */
function addAllPast(model: RunModel, past: NonNullable<RunModel["past"]>, fromS: number, toS: number, shares: Shares): void {
  sums.fill(0);
  past.addSeconds(null, fromS, toS, sums);
  for (const { lives } of model.workers) {
    for (const life of lives) shares.wallS += Math.max(0, Math.min(toS, life.toS) - Math.max(fromS, life.fromS));
  }
  const overlappedS = sums[Kind.overlapped] as number;
  shares.overlappedS += overlappedS;
  shares.computeS += (sums[Kind.compute] as number) + overlappedS;
  shares.waitS += sums[Kind.wait] as number;
  shares.transferS += (sums[Kind.up] as number) + (sums[Kind.down] as number);
}

/** Give what all workers together did in [fromS, toS). */
export function countsWithin(model: RunModel, fromS: number, toS: number): Counts {
  const counts = { iterations: 0, losses: 0, lossSum: 0, bytes: 0, updates: 0 };
  const untilS = Math.min(model.past?.untilS ?? -Infinity, toS);
  if (model.past && untilS > fromS) Object.assign(counts, model.past.counts(fromS, untilS));
  addCounts(model, Math.max(fromS, untilS), toS, counts);
  return counts;
}

/** Add what a fold holds of a stretch of time. */
export function addCounts(model: RunModel, fromS: number, toS: number, counts: Counts): void {
  if (!(toS > fromS)) return;
  const { steps, trainLoss, bytes, aggregates } = model;
  const [first, end] = [trainLoss.indexAt(fromS), trainLoss.indexAt(toS)];
  counts.iterations += steps.indexAt(toS) - steps.indexAt(fromS);
  counts.losses += end - first;
  counts.lossSum += trainLoss.sum(first, end);
  counts.bytes += bytes.sum(bytes.indexAt(fromS), bytes.indexAt(toS));
  counts.updates += aggregates.indexAt(toS) - aggregates.indexAt(fromS);
}

export function figuresWithin(model: RunModel, fromS: number, toS: number, nowS: number): Figures {
  const shares = sharesOfAll(model, fromS, toS, nowS);
  const lengthS = toS - fromS;
  const isKnown = lengthS > 0 && model.numIterations > 0;
  const counts = countsWithin(model, fromS, toS);
  return {
    utilisation: ratio(shares.computeS, shares.wallS),
    waitShare: ratio(shares.waitS, shares.wallS),
    iterationsPerS: isKnown ? counts.iterations / lengthS : null,
    loss: ratio(counts.lossSum, counts.losses),
    bytesPerS: isKnown ? counts.bytes / lengthS : null,
  };
}

/** Give the figures of the run so far in at most `most` equal parts on the time grid; what is not whole is left out. */
export function figuresOver(model: RunModel, nowS: number, most: number): Figures[] {
  let stepS = 1 / 8;
  while (nowS / stepS > most) stepS *= 2; // so that a curve keeps its shape until it is halved
  return Array.from({ length: Math.floor(nowS / stepS) }, (_, i) => figuresWithin(model, i * stepS, (i + 1) * stepS, nowS));
}

/** The predicted window of a round that has happened, beside what happened. */
export interface Outcome {
  version: number;
  plannedS: number;
  cutS: number;
  lowS: number;
  highS: number;
  actualS: number;
  errorS: number; // actual minus predicted
  isCovered: boolean;
}

/** Give the predicted window and the outcome of one row of `model.windows`. */
export function outcomeOf(model: RunModel, row: number): Outcome {
  const { windows } = model;
  const actualS = windows.get(row, "actualS");
  const cutS = windows.get(row, "cutS");
  const lowS = windows.get(row, "lowS");
  const highS = windows.get(row, "highS");
  return {
    version: windows.get(row, "version"),
    plannedS: windows.get(row, "plannedS"),
    cutS,
    lowS,
    highS,
    actualS,
    errorS: actualS - cutS,
    isCovered: actualS >= lowS && actualS <= highS,
  };
}

/** Give whom a worker waits for at this moment, by the newest word of the gate. */
export function waitsFor(model: RunModel, worker: number): readonly number[] {
  const { holds, pending } = workerOf(model, worker);
  return pending?.releasedS === null ? (holds[holds.length - 1]?.waitsFor ?? []) : [];
}
