/** From spans to pixel columns: level of detail that hides nothing. */

import { NUM_KINDS, type Kind, type SpanTrack } from "../store/spans";

/** Takes what is to be drawn, from left to right. */
export interface ColumnSink {
  /** Columns [x, x + width) belong to one span, whose index this is. */
  full: (x: number, width: number, kind: Kind, span: number) => void;
  /** One column holds several spans: the share of it that each kind takes, their sum <= 1. */
  mixed: (x: number, shares: Float64Array) => void;
}

const DENSE = 4; // spans for each column, above which columns are drawn from sums
const WIDE = 3; // columns

const shares = new Float64Array(NUM_KINDS);
const before = new Float64Array(NUM_KINDS);
const until = new Float64Array(NUM_KINDS);

/**
 * Draw the columns [x0, x1) of a lane. Column x shows the time [(origin + x) * stepS, (origin + x + 1) * stepS).
 *
 * O(spans in sight) while there are few for each column; else O(columns), however many spans there are.
 */
export function scanColumns(track: SpanTrack, origin: number, stepS: number, x0: number, x1: number, sink: ColumnSink): void {
  const first = track.firstEndingAfter((origin + x0) * stepS);
  const end = track.numStartingBefore((origin + x1) * stepS);
  if (end <= first) return;
  if (end - first > DENSE * (x1 - x0)) scanDense(track, origin, stepS, x0, x1, sink);
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
  end: number,
  sink: ColumnSink,
): void {
  let column = x0 - 1;
  let numNarrow = 0; // parts of narrow spans in `column`
  let hasWide = false; // a wide span reaches into it
  let largest = -1; // the narrow span with the largest part of it
  let largestPart = 0;
  const open = (x: number): void => {
    if (numNarrow > 0 && column >= x0 && column < x1) {
      if (hasWide || numNarrow > 2) sink.mixed(column, shares);
      else sink.full(column, 1, track.kind[largest] as Kind, largest);
    }
    shares.fill(0);
    column = x;
    numNarrow = 0;
    hasWide = false;
    largestPart = 0;
  };
  open(x0 - 1);
  for (let i = first; i < end; i++) {
    const left = (track.start[i] as number) / stepS - origin;
    const right = (track.end[i] as number) / stepS - origin;
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
      const fullTo = Math.min(Math.round(right), x1);
      if (fullTo > fullFrom) sink.full(fullFrom, fullTo - fullFrom, kind, i);
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

function scanDense(track: SpanTrack, origin: number, stepS: number, x0: number, x1: number, sink: ColumnSink): void {
  let index = sumBefore(track, (origin + x0) * stepS, 0, before);
  for (let x = x0; x < x1; x++) {
    index = sumBefore(track, (origin + x + 1) * stepS, index, until);
    let total = 0;
    for (let kind = 0; kind < NUM_KINDS; kind++) {
      const share = ((until[kind] as number) - (before[kind] as number)) / stepS;
      shares[kind] = share;
      total += share;
      before[kind] = until[kind] as number;
    }
    if (total > 0) sink.mixed(x, shares);
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
