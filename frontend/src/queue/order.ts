/** The order of the queue, changed at once on the page; the server does the same, and has the last word. */

import type { QueuePlace } from "../api/control";

/** Put some members, as a block in their order, behind so many of the others. */
export function moveTo(order: readonly string[], chosen: ReadonlySet<string>, at: number): string[] {
  const block = order.filter((one) => chosen.has(one));
  const rest = order.filter((one) => !chosen.has(one));
  return [...rest.slice(0, at), ...block, ...rest.slice(at)];
}

export function move(order: readonly string[], chosen: ReadonlySet<string>, to: QueuePlace): string[] {
  const rest = order.filter((one) => !chosen.has(one));
  const first = order.findIndex((one) => chosen.has(one));
  const last = order.findLastIndex((one) => chosen.has(one));
  if (first < 0) return [...order];
  const aheadOf = (index: number) => order.slice(0, index).filter((one) => !chosen.has(one)).length;
  const at = { first: 0, last: rest.length, up: Math.max(0, aheadOf(first) - 1), down: aheadOf(last) + 1 }[to];
  return moveTo(order, chosen, Math.min(rest.length, at));
}

/**
 * Where dragged members come to stand: how many of the others are in front of them.
 *
 * Args:
 *   order: all members.
 *   chosen: those that are dragged.
 *   gap: the gap of the list over which the pointer is, 0 before the first row.
 */
export function placeOfGap(order: readonly string[], chosen: ReadonlySet<string>, gap: number): number {
  return order.slice(0, gap).filter((one) => !chosen.has(one)).length;
}

/** What to tell the server: before whom, or at the end. */
export function destination(
  order: readonly string[],
  chosen: ReadonlySet<string>,
  at: number,
): QueuePlace | { before: string } {
  const next = order.filter((one) => !chosen.has(one))[at];
  return next === undefined ? "last" : { before: next };
}
