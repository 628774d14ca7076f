import type { NodeModel, RunModel } from "../store/model";

/** Distances of the timeline in CSS pixels; the charts below share the gutters. */
export interface Metrics {
  width: number;
  height: number;
  left: number; // gutter with the nodes' names
  right: number; // gutter with their utilisation
  axis: number; // height of the time axis at the foot
}

export interface Lane {
  id: string;
  node: NodeModel | null; // null until it is heard of
  worker: number | null;
  y: number; // of the bar, without scrolling
  height: number; // of the bar
  pitch: number; // of the lane with its gap
}

export interface Layout extends Metrics {
  lanes: Lane[];
  contentHeight: number; // of all lanes
  scrollY: number;
}

const MIN_BAR = 3;
const MAX_PITCH = 150;
const SERVER_WEIGHT = 0.62; // height of the server's lane, in those of a worker's
const EVALUATOR_WEIGHT = 0.34;
const LEAST_COMMON = 12; // pitch of the lanes that are no worker's: enough for their names, however many workers there are

/** Give the gutters for a width. */
export function measure(width: number, height: number): Metrics {
  if (width < 560) return { width, height, left: 68, right: 54, axis: 22 };
  if (width < 900) return { width, height, left: 128, right: 52, axis: 24 };
  return { width, height, left: 184, right: 60, axis: 24 };
}

/** Place the lanes: server on top, evaluator, then the workers; all of them fit if 3 px each are enough. */
export function layOut(metrics: Metrics, model: RunModel, numWorkers: number, scrollY: number): Layout {
  const rows: { id: string; worker: number | null; weight: number }[] = [{ id: "server", worker: null, weight: SERVER_WEIGHT }];
  if (model.nodes.has("evaluator")) rows.push({ id: "evaluator", worker: null, weight: EVALUATOR_WEIGHT });
  const last = model.workers[model.workers.length - 1]?.worker ?? -1;
  for (let worker = 0; worker < Math.max(numWorkers, last + 1); worker++) {
    rows.push({ id: `worker-${worker}`, worker, weight: 1 });
  }
  const unit = Math.min(MAX_PITCH, Math.max(unitOf(rows, metrics.height - metrics.axis - 4), MIN_BAR + 1));
  let y = 4;
  const lanes = rows.map(({ id, worker, weight }): Lane => {
    const pitch = Math.floor(worker === null ? Math.max(unit * weight, LEAST_COMMON) : unit);
    const lane = { id, worker, node: model.nodes.get(id) ?? null, y, height: barOf(pitch), pitch };
    y += pitch;
    return lane;
  });
  const limit = Math.max(0, y - (metrics.height - metrics.axis));
  return { ...metrics, lanes, contentHeight: y, scrollY: Math.round(Math.min(Math.max(0, scrollY), limit)) }; // whole, so that each bar is where the pointer finds it
}

/** Give the pitch of a worker's lane with which all lanes fill the room. */
function unitOf(rows: readonly { worker: number | null; weight: number }[], room: number): number {
  const sumOf = (some: typeof rows) => some.reduce((sum, { weight }) => sum + weight, 0);
  const unit = room / sumOf(rows);
  const least = rows.filter(({ worker, weight }) => worker === null && unit * weight < LEAST_COMMON);
  const others = sumOf(rows) - sumOf(least);
  return others > 0 ? (room - least.length * LEAST_COMMON) / others : unit;
}

/** Give the height of the bar in a lane: the more room, the more air. */
function barOf(pitch: number): number {
  if (pitch >= 40) return Math.round(Math.min(pitch - 10, 16 + pitch * 0.5));
  return pitch - (pitch >= 20 ? 5 : pitch >= 10 ? 2 : 1);
}

/** Give the lane at a height of the canvas, or null. */
export function laneAt(layout: Layout, y: number): Lane | null {
  if (y > layout.height - layout.axis) return null;
  const at = y + layout.scrollY;
  return layout.lanes.find((lane) => at >= lane.y && at < lane.y + lane.pitch) ?? null;
}

/** Give the width of the part that shows time. */
export function plotWidth(metrics: Metrics): number {
  return Math.max(1, metrics.width - metrics.left - metrics.right);
}
