import type { NodeModel, RunModel } from "./model";
import { Kind, type Span } from "./spans";

/**
 * Give what a node is doing at this moment: the spans that have not ended yet, up to `nowS`.
 *
 * A computation is known only once it has ended, so the last one here is what the node must be doing after its
 * last sign; the views draw it paler.
 */
export function openSpans(model: RunModel, node: NodeModel, nowS: number): Span[] {
  const blank = { iteration: node.iteration, reason: -1, value: NaN, isSlow: false, seq: 0 };
  if (node.life === "lost" && node.goneS !== null) {
    return node.worker === null ? [] : [{ ...blank, kind: Kind.lost, startS: node.goneS, endS: nowS }];
  }
  if (node.worker === null || node.goneS !== null || node.life !== "joined" || model.finishedS !== null) return [];
  const lastS = node.track.lastEndS ?? node.bornS ?? nowS;
  const { pending } = node;
  if (!pending) return cut([{ ...blank, kind: Kind.compute, iteration: node.iteration + 1, startS: lastS, endS: nowS }]);
  const fromS = Math.max(lastS, pending.fromS);
  const arrivedS = Math.max(fromS, pending.arrivedS);
  const releasedS = pending.releasedS === null ? nowS : Math.max(arrivedS, pending.releasedS);
  const spans: Span[] = [{ ...blank, kind: Kind.up, startS: fromS, endS: Math.min(arrivedS, nowS) }];
  let startS = arrivedS;
  let reason = -1;
  for (const hold of node.holds) {
    spans.push({ ...blank, kind: Kind.wait, startS, endS: Math.min(hold.atS, nowS), reason });
    startS = Math.max(startS, hold.atS);
    reason = hold.reason;
  }
  spans.push({ ...blank, kind: Kind.wait, startS, endS: Math.min(releasedS, nowS), reason });
  if (pending.releasedS !== null) {
    spans.push({ ...blank, kind: Kind.down, startS: releasedS, endS: nowS, reason: pending.releaseReason });
  }
  return cut(spans);
}

function cut(spans: Span[]): Span[] {
  return spans.filter((span) => span.endS > span.startS);
}

/** What a node is doing, as a sentence of the user's world, with the gate's own words where it gave any. */
export interface Activity {
  kind: Kind | null; // null: nothing
  sinceS: number;
  reason: string; // the gate's sentence, or ""
}

export function activityAt(model: RunModel, node: NodeModel, nowS: number): Activity {
  const spans = openSpans(model, node, nowS);
  const last = spans[spans.length - 1];
  if (!last) return { kind: null, sinceS: node.goneS ?? nowS, reason: node.exit };
  let { startS } = last;
  for (const span of spans) if (span.kind === last.kind) startS = Math.min(startS, span.startS);
  const reason = last.kind === Kind.lost ? node.exit : (model.sentences[last.reason] ?? "");
  return { kind: last.kind, sinceS: startS, reason };
}
