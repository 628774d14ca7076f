/** From spans to pixel columns: level of detail that hides nothing. */

import { NUM_KINDS, type Kind, type SpanTrack } from "../store/spans";

/** Takes what is to be drawn, from left to right. */
export interface ColumnSink {
  /** Columns [x, x + width) belong to one span, whose index this is; `isEnd`: a wide one, which ends with them. */
  full: (x: number, width: number, kind: Kind, span: number, isEnd: boolean) => void;
  /** Columns [x, x + width) hold several spans: the share of them that each kind takes, their sum <= 1. */
  mixed: (x: number, width: number, shares: Float64Array) => void;
}

const GRAIN = 1024; // of a column: edges are rounded to it, so that they are the same wherever a drawing begins
const DENSE = 4; // spans for each column, from which single ones are not looked at any more
const WIDE = 3; // columns of a span that can be told apart
const SAMPLES = 1200; // spans that are looked at, in all lanes together
const SPANS_MERGED = 6; // spans that merged columns should hold
const LEAST_MERGED = 2;
export const MOST_MERGED = 6;

const shares = new Float64Array(NUM_KINDS);
const before = new Float64Array(NUM_KINDS);
const until = new Float64Array(NUM_KINDS);

/**
 * Give how many columns are drawn as one: 0 while single spans can be told apart, else LEAST_MERGED to MOST_MERGED.
 *
 * It looks at some of the spans in sight: where most of the time lies in spans that are too narrow, columns are
 * merged until each holds several, so that a lane becomes a calm picture of shares instead of noise. One answer
 * serves all the tracks, since lanes that are alike should look alike. `before` is the answer of the frame before,
 * which is kept while it is nearly right.
 */
export function mergedColumns(tracks: readonly SpanTrack[], origin: number, stepS: number, width: number, before: number): number {
  let narrowS = 0;
  let totalS = 0;
  let count = 0;
  let num = 0;
  for (const track of tracks) {
    const first = track.firstEndingAfter(origin * stepS);
    const end = track.numStartingBefore((origin + width) * stepS);
    const stride = Math.max(1, Math.floor(((end - first) * tracks.length) / SAMPLES));
    num += end - first;
    for (let i = first; i < end; i += stride) {
      const lengthS = ((track.end[i] as number) - (track.start[i] as number)) * stride;
      if (lengthS < WIDE * stepS * stride) narrowS += lengthS;
      totalS += lengthS;
      count += stride;
    }
  }
  if (num > DENSE * width * tracks.length) return LEAST_MERGED;
  const share = totalS > 0 ? narrowS / totalS : 0;
  if (share < (before > 0 ? 0.25 : 0.4)) return 0;
  const wish = (SPANS_MERGED * totalS) / Math.max(1, count) / stepS;
  if (before > 0 && wish > before * 0.6 && wish < before * 1.6) return before;
  return Math.min(MOST_MERGED, Math.max(LEAST_MERGED, Math.round(wish)));
}

/**
 * Draw the columns [x0, x1) of a lane. Column x shows the time [(origin + x) * stepS, (origin + x + 1) * stepS);
 * `merged` of them are drawn as one (see `mergedColumns`).
 *
 * O(spans in sight) while they are told apart; else O(columns), however many spans there are.
 */
export function scanColumns(
  track: SpanTrack,
  origin: number,
  stepS: number,
  x0: number,
  x1: number,
  merged: number,
  sink: ColumnSink,
): void {
  const first = track.firstEndingAfter((origin + x0) * stepS);
  const end = track.numStartingBefore((origin + x1) * stepS);
  if (end <= first) return;
  if (merged > 0) scanMerged(track, origin, stepS, x0, x1, merged, sink);
  else scanSparse(track, origin, stepS, x0, x1, first, end, sink);
}

/** Spans from WIDE columns on are drawn with rounded edges; narrower ones share columns. */
function scanSparse(
  track: SpanTrack,
  origin: number,
  stepS: number,
  x0: number,
  x1: number,
  first: number,
  last: number,
  sink: ColumnSink,
): void {
  let column = x0 - 1;
  let numNarrow = 0; // parts of narrow spans in `column`
  let hasWide = false; // a wide span reaches into it
  let largest = -1; // the narrow span with the largest part of it
  let largestPart = 0;
  const open = (x: number): void => {
    if (numNarrow > 0 && column >= x0 && column < x1) {
      if (hasWide || numNarrow > 2) sink.mixed(column, 1, shares);
      else sink.full(column, 1, track.kind[largest] as Kind, largest, false);
    }
    shares.fill(0);
    column = x;
    numNarrow = 0;
    hasWide = false;
    largestPart = 0;
  };
  open(x0 - 1);
  for (let i = first; i < last; i++) {
    const left = Math.round(((track.start[i] as number) / stepS) * GRAIN) / GRAIN - origin;
    const right = Math.max(Math.round(((track.end[i] as number) / stepS) * GRAIN) / GRAIN - origin, left + 1 / GRAIN);
    const kind = track.kind[i] as Kind;
    const from = Math.floor(left);
    const to = Math.floor(right);
    if (right - left >= WIDE) {
      const isShared = column === from && numNarrow > 0;
      if (isShared) {
        shares[kind] = (shares[kind] as number) + from + 1 - left;
        hasWide = true;
      }
      open(to);
      const fullFrom = Math.max(isShared ? from + 1 : Math.round(left), x0);
      const end = Math.round(right);
      const fullTo = Math.min(end, x1);
      if (fullTo > fullFrom) sink.full(fullFrom, fullTo - fullFrom, kind, i, fullTo === end);
      shares[kind] = right - to;
      hasWide = right > to;
      continue;
    }
    for (let x = from; x <= to; x++) {
      const part = Math.min(right, x + 1) - Math.max(left, x);
      if (part <= 0) continue;
      if (x !== column) open(x);
      shares[kind] = (shares[kind] as number) + part;
      numNarrow += 1;
      if (part <= largestPart) continue;
      largest = i;
      largestPart = part;
    }
  }
  open(x1);
}

function scanMerged(track: SpanTrack, origin: number, stepS: number, x0: number, x1: number, merged: number, sink: ColumnSink): void {
  const firstBlock = Math.floor((origin + x0) / merged); // blocks lie on the time grid, too
  const endBlock = Math.ceil((origin + x1) / merged);
  const blockS = merged * stepS;
  let index = sumBefore(track, firstBlock * blockS, 0, before);
  for (let block = firstBlock; block < endBlock; block++) {
    index = sumBefore(track, (block + 1) * blockS, index, until);
    let total = 0;
    for (let kind = 0; kind < NUM_KINDS; kind++) {
      const share = ((until[kind] as number) - (before[kind] as number)) / blockS;
      shares[kind] = share;
      total += share;
      before[kind] = until[kind] as number;
    }
    if (total > 0) sink.mixed(block * merged - origin, merged, shares);
  }
  shares.fill(0);
}

/** Write the seconds of each kind before `atS` to `out`; search from `index` on, and give the index found. */
function sumBefore(track: SpanTrack, atS: number, index: number, out: Float64Array): number {
  let low = index;
  let step = 1;
  while (low + step < track.length && (track.end[low + step] as number) <= atS) {
    low += step;
    step *= 2;
  }
  let high = Math.min(track.length, low + step);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((track.end[middle] as number) <= atS) low = middle + 1;
    else high = middle;
  }
  out.fill(0);
  track.addTo(low, 1, out);
  if (low < track.length) {
    const partS = atS - (track.start[low] as number);
    const kind = track.kind[low] as number;
    if (partS > 0) out[kind] = (out[kind] as number) + partS;
  }
  return low;
}
