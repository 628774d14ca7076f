/** What can be pointed at and selected on the timeline, and how it is found. */

import { runningForecast } from "../store/forecast";
import { openSpans } from "../store/open";
import { modelAround, nodeOf, type NodeModel, type RunModel } from "../store/model";
import type { Span } from "../store/spans";
import { laneAt, type Lane, type Layout } from "./layout";

export type Selection =
  | { kind: "node"; node: string }
  | { kind: "span"; node: string; atS: number } // the span that covers this time
  | { kind: "sync"; node: string; atS: number } // the update that was applied at this time
  | { kind: "window"; node: string; atS: number } // the prediction that was first made at this time
  | { kind: "stretch"; node: string; atS: number; lengthS: number } // of an overview: what is seen there is a mixture
  | { kind: "entry"; node: string | null; seq: number };

const REACH = 5; // CSS pixels around a mark in which it is hit

/** Give what is at a place of the canvas, or null. `atS` and `secondsPerPx` belong to the same view. */
export function hit(present: RunModel, layout: Layout, y: number, atS: number, secondsPerPx: number, nowS: number): Selection | null {
  const reachS = REACH * secondsPerPx;
  if (y > layout.height - layout.axis) return hitEntry(present, atS, reachS);
  const lane = laneAt(layout, y);
  if (!lane) return null;
  if (isBlurred(present, atS) && lane.id !== "evaluator") return hitStretch(present, lane, atS, secondsPerPx);
  const model = modelAround(present, atS);
  if (lane.id === "server") return hitSync(model, atS, reachS) ?? hitWindow(model, atS, nowS);
  const running = lane.node && atS > nowS ? runningForecast(present, lane.node) : null;
  if (running && atS >= running.lowS - reachS && atS <= running.highS + reachS) {
    return { kind: "span", node: lane.id, atS: nowS }; // the iteration whose end is forecast there
  }
  const node = model.nodes.get(lane.id);
  const inside = node ? spanNear(present, node, atS, reachS / 2, nowS) : null;
  if (inside !== null) return { kind: "span", node: lane.id, atS: inside };
  return atS > nowS ? (hitWindow(model, atS, nowS) ?? { kind: "node", node: lane.id }) : { kind: "node", node: lane.id };
}

/** Whether only an overview is known of a time. */
export function isBlurred({ past }: RunModel, atS: number): boolean {
  return past !== null && atS < past.untilS && past.modelAt(atS) === null;
}

const STRETCH_PX = 4;

/** Give the few pixels of an overview around a time. */
function hitStretch({ past }: RunModel, { id, worker }: Lane, atS: number, secondsPerPx: number): Selection {
  const lengthS = STRETCH_PX * secondsPerPx;
  const fromS = Math.floor(atS / lengthS) * lengthS; // on a grid, so that it is not another one with every pixel
  if (fromS < 0 || fromS + lengthS > (past?.untilS ?? Infinity) || (worker === null && id !== "server")) return { kind: "node", node: id };
  return { kind: "stretch", node: id, atS: fromS, lengthS };
}

/** Give a time inside the span that is nearest to `atS`, within reach, or null. */
function spanNear(model: RunModel, node: NodeModel, atS: number, reachS: number, nowS: number): number | null {
  if (spanAt(model, node, atS, nowS)) return atS;
  const { track } = node;
  const after = track.firstEndingAfter(atS);
  const nearest = [after - 1, after]
    .filter((i) => i >= 0 && i < track.length)
    .map((i) => ({ i, awayS: Math.max((track.start[i] as number) - atS, atS - (track.end[i] as number)) }))
    .sort((a, b) => a.awayS - b.awayS)[0];
  if (!nearest || nearest.awayS > reachS) return null;
  return ((track.start[nearest.i] as number) + (track.end[nearest.i] as number)) / 2;
}

/** Give the span of a node at a time, stored or still going on, or null. */
export function spanAt(present: RunModel, named: NodeModel, atS: number, nowS: number): (Span & { isOpen: boolean }) | null {
  const model = modelAround(present, atS);
  const node = model.nodes.get(named.id) ?? named;
  const i = node.track.find(atS);
  if (i >= 0) return { ...node.track.at(i), isOpen: false };
  if (model !== present || (node.track.lastEndS !== null && atS < node.track.lastEndS)) return null;
  const open = openSpans(model, node, nowS).find(({ startS, endS }) => atS >= startS && atS <= endS);
  return open ? { ...open, isOpen: true } : null;
}

function hitSync(model: RunModel, atS: number, reachS: number): Selection | null {
  const { aggregates } = model;
  const i = aggregates.indexAt(atS);
  let best: number | null = null;
  for (const j of [i - 1, i]) {
    if (j < 0 || j >= aggregates.length) continue;
    const time = aggregates.at[j] as number;
    if (Math.abs(time - atS) <= reachS && (best === null || Math.abs(time - atS) < Math.abs(best - atS))) best = time;
  }
  return best === null ? null : { kind: "sync", node: "server", atS: best };
}

function hitWindow(model: RunModel, atS: number, nowS: number): Selection | null {
  const { windows } = model;
  for (let i = windows.indexAt(atS) - 1; i >= Math.max(0, windows.indexAt(atS) - 4); i--) {
    const isOpen = Number.isNaN(windows.get(i, "actualS"));
    const highS = isOpen ? Math.max(nowS, windows.get(i, "highS")) : windows.get(i, "highS");
    if (atS >= windows.get(i, "lowS") && atS <= highS) return { kind: "window", node: "server", atS: windows.at[i] as number };
  }
  return null;
}

function hitEntry(model: RunModel, atS: number, reachS: number): Selection | null {
  let best: Selection | null = null;
  let bestS = reachS;
  for (const entry of model.entries) {
    if (entry.kind === "message" && entry.level === "info") continue;
    const awayS = Math.abs(entry.atS - atS);
    if (awayS > bestS) continue;
    best = { kind: "entry", node: entry.node, seq: entry.seq };
    bestS = awayS;
  }
  return best;
}

export function isSame(a: Selection | null, b: Selection | null): boolean {
  return a === b || (a !== null && b !== null && JSON.stringify(a) === JSON.stringify(b));
}

/** Give the span or mark before or after the selected one in its lane, for the keyboard. */
export function neighbour(present: RunModel, selection: Selection | null, lane: Lane, direction: 1 | -1, nowS: number): Selection {
  const model = selection && "atS" in selection ? modelAround(present, selection.atS) : present;
  const middleOf = (node: NodeModel, i: number) => ((node.track.start[i] as number) + (node.track.end[i] as number)) / 2;
  const atS = selection && "atS" in selection && selection.node === lane.id ? selection.atS : null;
  if (lane.id === "server") {
    const { aggregates } = model;
    if (aggregates.length === 0) return { kind: "node", node: lane.id };
    let i = atS === null ? aggregates.length - 1 : aggregates.indexAt(atS) - (direction < 0 ? 1 : 0);
    while (direction > 0 && i < aggregates.length && aggregates.at[i] === atS) i += 1; // beyond all of that instant
    i = Math.min(Math.max(0, i), aggregates.length - 1);
    return { kind: "sync", node: lane.id, atS: aggregates.at[i] as number };
  }
  const node = nodeOf(model, lane.id);
  const { track } = node;
  if (track.length === 0) return { kind: "node", node: lane.id };
  if (atS === null) return { kind: "span", node: lane.id, atS: middleOf(node, track.length - 1) };
  const found = track.find(atS);
  const last = track.length - 1;
  if (direction > 0 && (found === last || (found < 0 && atS > (track.lastEndS ?? 0)))) {
    const open = openSpans(model, node, nowS).at(-1);
    if (open) return { kind: "span", node: lane.id, atS: (open.startS + open.endS) / 2 };
  }
  const here = found >= 0 ? found + direction : track.firstEndingAfter(atS) - (direction > 0 ? 0 : 1);
  return { kind: "span", node: lane.id, atS: middleOf(node, Math.min(Math.max(0, here), last)) };
}
