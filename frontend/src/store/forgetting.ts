/** What the fold of a long run lets go of: a page that follows a run for days holds its newest part, and the rest is past. */

import type { Event, EventKind } from "./events";
import { intern, type RunModel } from "./model";
import { Kind } from "./spans";

export const MOST_FOLDED = 100_000; // events from which the older ones are let go of
export const NUM_KEPT = 50_000; // events that stay
const LEAST_FORGOTTEN = 10_000; // fewer are not worth the work
const SETTLED = 5_000; // events after one, by which all that began before it was told of, as a rule
const STRIDE = 2_000; // events between two places at which the fold may be cut
const LEAST_ROWS = 16; // of a table: the newest ones are looked at whatever their age
const MOST_SENTENCES = 2_000;

/** As `LANDMARKS` in `backend/timeline/spans.py`: rare, and needed of the whole run. */
const RARE: ReadonlySet<EventKind> = new Set<EventKind>([
  "RunStarted",
  "NodeStarted",
  "WorkerJoined",
  "WorkerLeft",
  "Retuned",
  "CheckpointWritten",
  "EvaluationFinished",
  "TargetReached",
  "ProcessExited",
  "MessageLogged",
  "RunResumed",
  "RunFinished",
]);

/** A place in the log: no event up to `seq` tells of a time after `atS`. */
export interface Cut {
  seq: number;
  atS: number;
}

/** Knows where the fold can be cut, and keeps the rare events, which are needed of the whole run. */
export class Forgetting {
  readonly rare: Event[] = [];
  private cuts: Cut[] = [];
  private toldFromS = Infinity; // how far back what came lately reaches

  /** Take note of events that were folded just now; those that tell of a time before `untilS` change the past. */
  note(model: RunModel, events: readonly Event[], untilS: number): void {
    for (const event of events) {
      if (RARE.has(event.kind)) this.rare.push(event);
      const startS = beganS(event);
      if (startS < untilS) this.toldFromS = Math.min(this.toldFromS, startS);
    }
    const last = this.cuts[this.cuts.length - 1]?.seq ?? 0;
    if (model.lastSeq - last >= STRIDE) this.cuts.push({ seq: model.lastSeq, atS: model.lastS });
  }

  /** Choose where to cut, with the server's overview made up to `overviewSeq`; null: too little would go. */
  choose(model: RunModel, openedSeq: number, overviewSeq: number): Cut | null {
    const lastSeq = Math.min(model.lastSeq - NUM_KEPT, overviewSeq - SETTLED);
    const cut = this.cuts.findLast(({ seq }) => seq <= lastSeq);
    return cut && cut.seq - openedSeq >= LEAST_FORGOTTEN ? cut : null;
  }

  /** Up to here the past has not changed since it began to reach up to `untilS`. */
  knownS(untilS: number): number {
    return Math.min(untilS, this.toldFromS);
  }

  /** Let go of what lies before the cut. */
  forget(model: RunModel, cut: Cut): void {
    this.cuts = this.cuts.filter(({ seq }) => seq > cut.seq);
    forgetBefore(model, cut);
    this.toldFromS = Infinity;
    for (const { track } of model.workers) {
      for (let i = 0; i < track.length && (track.start[i] as number) < cut.atS; i++) {
        if (track.kind[i] !== Kind.lost) this.toldFromS = Math.min(this.toldFromS, track.start[i] as number);
      }
    }
  }
}

/** Give the earliest time of which an event tells. */
function beganS(event: Event): number {
  if (event.kind === "IterationFinished") return event.started_at_s;
  if (event.kind === "ExchangeFinished") return event.blocked_from_s ?? event.at_s;
  return event.at_s;
}

/**
 * Drop what happened before a cut. Counts, sums and scores of the whole run stay as they are; so do the newest
 * value of each series and the rare events.
 */
function forgetBefore(model: RunModel, { seq, atS }: Cut): void {
  for (const node of model.workers) node.track.forget(atS);
  for (const node of model.nodes.values()) {
    node.forecasts.forget(atS);
    for (const series of [node.lead, node.staleness, node.cpu, node.memory]) series.forget(atS);
  }
  for (const series of [model.steps, model.trainLoss, model.bytes, model.staleness, model.lead]) series.forget(atS);
  forgetRows(model, seq, atS);
  if (model.sentences.length > MOST_SENTENCES) forgetSentences(model);
}

function forgetRows({ aggregates, windows }: RunModel, lastSeq: number, untilS: number): void {
  let num = 0;
  while (num < aggregates.length - LEAST_ROWS && aggregates.get(num, "seq") <= lastSeq) num += 1;
  aggregates.forget(num);
  const isOver = (row: number) => {
    const actualS = windows.get(row, "actualS");
    const lastS = Math.max(windows.get(row, "plannedS"), windows.get(row, "highS"), Number.isFinite(actualS) ? actualS : 0);
    return lastS < untilS;
  };
  num = 0;
  while (num < windows.length - LEAST_ROWS && isOver(num)) num += 1;
  windows.forget(num);
}

/** Keep only the sentences that something still refers to, under new numbers. */
function forgetSentences(model: RunModel): void {
  const { sentences, blamed, aggregates } = model;
  model.sentences = [];
  model.blamed = new Map();
  model.sentenceIndex.clear();
  const renumber = (reason: number): number => {
    const sentence = sentences[reason];
    if (sentence === undefined) return reason;
    const next = intern(model, sentence);
    const workers = blamed.get(reason);
    if (workers) model.blamed.set(next, workers);
    return next;
  };
  for (const { track, holds, pending } of model.nodes.values()) {
    for (let i = 0; i < track.length; i++) track.reason[i] = renumber(track.reason[i] as number);
    for (const hold of holds) hold.reason = renumber(hold.reason);
    if (pending) pending.releaseReason = renumber(pending.releaseReason);
  }
  for (let i = 0; i < aggregates.length; i++) aggregates.set(i, "reason", renumber(aggregates.get(i, "reason")));
}
