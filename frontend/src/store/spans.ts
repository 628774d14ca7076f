import { lowerBound, upperBound } from "./search";
import { enlarge } from "./series";

/** What a node does for a while. The numbers are stored in `SpanTrack.kind`. */
export const Kind = {
  compute: 0,
  overlapped: 1, // local training while a push is in flight
  up: 2, // transfer to the server
  wait: 3,
  down: 4, // transfer to the worker
  evaluation: 5,
  lost: 6,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];
export const NUM_KINDS = 7;

export const KIND_LABELS: Record<Kind, string> = {
  [Kind.compute]: "computing",
  [Kind.overlapped]: "local training during a synchronisation",
  [Kind.up]: "sending to the server",
  [Kind.wait]: "waiting",
  [Kind.down]: "receiving weights",
  [Kind.evaluation]: "evaluating",
  [Kind.lost]: "lost",
};

/** A span that is about to be stored. */
export interface Span {
  startS: number;
  endS: number;
  kind: Kind;
  iteration: number; // of the worker; the version for an evaluation
  reason: number; // index into the model's sentences; -1 = none
  value: number; // compute: training loss; exchange: version; evaluation: accuracy
  isSlow: boolean; // a computation that took longer than its speed model asked for
  seq: number; // of the event that told of it
}

const FIRST_CAPACITY = 64;
const STRIDE = 32; // spans between two stored partial sums

/**
 * What one node did: spans that are sorted by start and do not overlap.
 *
 * Adding at the end is O(1) amortised. The time spent on each kind within any stretch costs two binary
 * searches and at most two strides, however many spans lie in it.
 */
export class SpanTrack {
  length = 0;
  changedFromS = Infinity; // earliest start among the spans that are new to whoever sets it back
  start = new Float64Array(FIRST_CAPACITY);
  end = new Float64Array(FIRST_CAPACITY);
  kind = new Uint8Array(FIRST_CAPACITY);
  isSlow = new Uint8Array(FIRST_CAPACITY);
  iteration = new Int32Array(FIRST_CAPACITY);
  reason = new Int32Array(FIRST_CAPACITY);
  value = new Float32Array(FIRST_CAPACITY);
  seq = new Uint32Array(FIRST_CAPACITY);
  private sums = new Float64Array((FIRST_CAPACITY / STRIDE + 1) * NUM_KINDS);
  private numSums = 1; // rows of `sums` that are up to date

  /** Add a span. One that comes late is moved to its place; an empty one is ignored. */
  add(span: Span): void {
    if (!(span.endS > span.startS)) return;
    if (this.length === this.start.length) this.grow();
    let i = this.length++;
    while (i > 0 && (this.start[i - 1] as number) > span.startS) {
      this.move(i - 1, i);
      i -= 1;
    }
    this.start[i] = span.startS;
    this.end[i] = span.endS;
    this.kind[i] = span.kind;
    this.isSlow[i] = span.isSlow ? 1 : 0;
    this.iteration[i] = span.iteration;
    this.reason[i] = span.reason;
    this.value[i] = span.value;
    this.seq[i] = span.seq;
    this.changed(i);
  }

  private changed(i: number): void {
    this.changedFromS = Math.min(this.changedFromS, this.start[i] as number);
    this.numSums = Math.min(this.numSums, Math.floor(i / STRIDE) + 1);
  }

  /** Give the span at an index as an object. */
  at(i: number): Span {
    return {
      startS: this.start[i] as number,
      endS: this.end[i] as number,
      kind: this.kind[i] as Kind,
      iteration: this.iteration[i] as number,
      reason: this.reason[i] as number,
      value: this.value[i] as number,
      isSlow: this.isSlow[i] === 1,
      seq: this.seq[i] as number,
    };
  }

  /** The end of the last span, or null. */
  get lastEndS(): number | null {
    return this.length === 0 ? null : (this.end[this.length - 1] as number);
  }

  /** Give the index of the first span that ends after `atS`. */
  firstEndingAfter(atS: number): number {
    return upperBound(this.end, this.length, atS);
  }

  /** Give the number of spans that start before `atS`. */
  numStartingBefore(atS: number): number {
    return lowerBound(this.start, this.length, atS);
  }

  /** Give the index of the span that covers `atS` (start included), or -1. */
  find(atS: number): number {
    const i = upperBound(this.start, this.length, atS) - 1;
    return i >= 0 && (this.end[i] as number) > atS ? i : -1;
  }

  /** From `atS` on, give the wait around it this reason: it is split there, since each part has its own. */
  explainWait(atS: number, reason: number): void {
    const i = this.find(atS);
    if (i < 0 || this.kind[i] !== Kind.wait) return;
    const rest = this.at(i);
    if (atS > rest.startS) {
      this.end[i] = atS;
      this.changed(i);
      this.add({ ...rest, startS: atS, reason });
    } else this.reason[i] = reason;
  }

  /** Let go of what ended before `untilS`, but for the last span and the times in which the node was lost. */
  forget(untilS: number): void {
    const num = Math.min(this.firstEndingAfter(untilS), this.length - 1);
    let kept = 0;
    for (let i = 0; i < num; i++) if (this.kind[i] === Kind.lost) this.move(i, kept++);
    if (num <= kept) return;
    for (const column of [this.start, this.end, this.kind, this.isSlow, this.iteration, this.reason, this.value, this.seq]) {
      column.copyWithin(kept, num, this.length);
    }
    this.length -= num - kept;
    this.numSums = 1;
  }

  /** Write the seconds spent on each kind within [fromS, toS) to `out`, which has NUM_KINDS entries. */
  sumWithin(fromS: number, toS: number, out: Float64Array): void {
    out.fill(0);
    const from = this.firstEndingAfter(fromS);
    const to = this.numStartingBefore(toS);
    if (to <= from) return;
    this.addTo(to, 1, out);
    this.addTo(from, -1, out);
    const first = this.kind[from] as number;
    out[first] = (out[first] as number) - Math.max(0, fromS - (this.start[from] as number));
    const last = this.kind[to - 1] as number;
    out[last] = (out[last] as number) - Math.max(0, (this.end[to - 1] as number) - toS);
  }

  /** Add `sign` times the seconds of each kind of the first `end` spans to `out`. */
  addTo(end: number, sign: number, out: Float64Array): void {
    const k = Math.floor(end / STRIDE);
    this.bringSumsTo(k);
    for (let kind = 0; kind < NUM_KINDS; kind++) {
      out[kind] = (out[kind] as number) + sign * (this.sums[k * NUM_KINDS + kind] as number);
    }
    for (let i = k * STRIDE; i < end; i++) {
      const kind = this.kind[i] as number;
      out[kind] = (out[kind] as number) + sign * ((this.end[i] as number) - (this.start[i] as number));
    }
  }

  private bringSumsTo(k: number): void {
    const { sums } = this;
    for (let row = this.numSums; row <= k; row++) {
      sums.copyWithin(row * NUM_KINDS, (row - 1) * NUM_KINDS, row * NUM_KINDS);
      for (let i = (row - 1) * STRIDE; i < row * STRIDE; i++) {
        const cell = row * NUM_KINDS + (this.kind[i] as number);
        sums[cell] = (sums[cell] as number) + (this.end[i] as number) - (this.start[i] as number);
      }
    }
    this.numSums = Math.max(this.numSums, k + 1);
  }

  private move(from: number, to: number): void {
    this.start[to] = this.start[from] as number;
    this.end[to] = this.end[from] as number;
    this.kind[to] = this.kind[from] as number;
    this.isSlow[to] = this.isSlow[from] as number;
    this.iteration[to] = this.iteration[from] as number;
    this.reason[to] = this.reason[from] as number;
    this.value[to] = this.value[from] as number;
    this.seq[to] = this.seq[from] as number;
  }

  private grow(): void {
    const capacity = this.start.length * 2;
    this.start = enlarge(this.start, new Float64Array(capacity));
    this.end = enlarge(this.end, new Float64Array(capacity));
    this.kind = enlarge(this.kind, new Uint8Array(capacity));
    this.isSlow = enlarge(this.isSlow, new Uint8Array(capacity));
    this.iteration = enlarge(this.iteration, new Int32Array(capacity));
    this.reason = enlarge(this.reason, new Int32Array(capacity));
    this.value = enlarge(this.value, new Float32Array(capacity));
    this.seq = enlarge(this.seq, new Uint32Array(capacity));
    this.sums = enlarge(this.sums, new Float64Array((capacity / STRIDE + 1) * NUM_KINDS));
  }
}
