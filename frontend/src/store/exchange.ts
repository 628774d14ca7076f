/** What the fold makes of iterations, pushes and releases: the spans of a worker's lane. */

import type { EventOf } from "./events";
import { intern, workerOf, type NodeModel, type RunModel } from "./model";
import { Kind } from "./spans";

export const SLOW = 1.1; // times what the speed model asked for; `num_missed_pads` of the summary counts the same

export function iterationFinished(model: RunModel, event: EventOf<"IterationFinished">): void {
  const node = workerOf(model, event.worker);
  const isSlow = event.target_s > 0 && event.compute_s > SLOW * event.target_s;
  const span = { iteration: event.iteration, reason: -1, value: event.loss ?? NaN, isSlow, seq: event.seq };
  const landedS = Math.min(event.started_at_s + event.overlapped_s, event.at_s); // the push was in flight up to here
  if (landedS > event.started_at_s) node.track.add({ ...span, startS: event.started_at_s, endS: landedS, kind: Kind.overlapped });
  if (event.at_s > landedS) node.track.add({ ...span, startS: landedS, endS: event.at_s, kind: Kind.compute });
  extendLife(node, event.started_at_s, event.at_s);
  node.bornS ??= event.started_at_s;
  if (node.pending && node.pending.iteration < event.iteration) node.pending = null; // it went on
  node.iteration = event.iteration;
  if (isSlow) node.numSlow += 1;
  model.numIterations += 1;
  model.steps.add(event.at_s, event.compute_s);
  if (event.loss !== null && event.num_samples > 0) model.trainLoss.add(event.at_s, event.loss);
}

/** Let a life last to the end of what began in it, also where that is told after its leaving. */
function extendLife(node: NodeModel, fromS: number, toS: number): void {
  const life = node.lives[node.lives.length - 1];
  if (life && fromS < life.toS && toS > life.toS) life.toS = toS;
}

export function pushArrived(model: RunModel, event: EventOf<"PushArrived">): void {
  const node = workerOf(model, event.worker);
  node.forecasts.end(event.iteration, event.ended_at_s);
  node.clock = event.iteration;
  node.numPushes += 1;
  model.clocks.set(event.worker, event.iteration);
  const lead = model.clocks.lead(event.worker);
  node.lead.add(event.at_s, lead);
  node.maxLead = Math.max(node.maxLead, lead);
  model.lead.add(event.at_s, lead);
  if (event.is_blocking) block(node, event.ended_at_s, event.at_s, event.iteration);
}

export function iterationReported(model: RunModel, event: EventOf<"IterationReported">): void {
  const node = workerOf(model, event.worker);
  node.forecasts.end(event.iteration, event.ended_at_s);
  if (event.is_waiting) block(node, event.ended_at_s, event.at_s, event.iteration);
}

function block(node: NodeModel, fromS: number, arrivedS: number, iteration: number): void {
  if (fromS < node.landedS) return; // its answer was heard of first
  node.pending = { fromS, arrivedS, releasedS: null, releaseReason: -1, iteration };
}

export function workerHeld(model: RunModel, event: EventOf<"WorkerHeld">): void {
  const node = workerOf(model, event.worker);
  const reason = intern(model, event.reason);
  model.blamed.set(reason, event.waits_for);
  const { lastEndS } = node.track;
  if (lastEndS !== null && event.at_s < lastEndS) node.track.explainWait(event.at_s, reason);
  else node.holds.push({ atS: event.at_s, reason, waitsFor: event.waits_for });
}

export function workerReleased(model: RunModel, event: EventOf<"WorkerReleased">): void {
  const node = workerOf(model, event.worker);
  node.version = event.version;
  const { pending } = node;
  if (pending?.releasedS === null && event.at_s >= pending.arrivedS) {
    pending.releasedS = event.at_s;
    pending.releaseReason = intern(model, event.reason);
  }
}

export function exchangeFinished(model: RunModel, event: EventOf<"ExchangeFinished">): void {
  const node = workerOf(model, event.worker);
  model.bytes.add(event.at_s, event.sent_bytes + event.received_bytes);
  node.sentBytes += event.sent_bytes;
  node.receivedBytes += event.received_bytes;
  node.landedS = Math.max(node.landedS, event.at_s);
  if (event.blocked_from_s !== null) {
    addBlocked(node, event, event.blocked_from_s);
    extendLife(node, event.blocked_from_s, event.at_s);
  }
  if (node.pending && node.pending.fromS < event.at_s) node.pending = null;
  node.holds = node.holds.filter((hold) => hold.atS > event.released_at_s);
}

type Stamps = Pick<EventOf<"ExchangeFinished">, "seq" | "at_s" | "iteration" | "version" | "arrived_at_s" | "released_at_s">;

/** Keep a wait whose end no `ExchangeFinished` will tell, since the worker left while it was held. */
export function endWait(node: NodeModel, atS: number): void {
  const { pending } = node;
  if (pending?.releasedS !== null) return;
  const { iteration, arrivedS, fromS } = pending;
  addBlocked(node, { seq: 0, at_s: atS, iteration, version: node.version, arrived_at_s: arrivedS, released_at_s: atS }, fromS);
}

/** Add the parts of the time in which the worker did not compute: transfer up, wait, transfer down. */
function addBlocked(node: NodeModel, event: Stamps, fromS: number): void {
  const arrivedS = Math.min(Math.max(fromS, event.arrived_at_s), event.at_s);
  const releasedS = Math.min(Math.max(arrivedS, event.released_at_s), event.at_s);
  const part = { iteration: event.iteration, reason: -1, value: event.version, isSlow: false, seq: event.seq };
  node.track.add({ ...part, kind: Kind.up, startS: fromS, endS: arrivedS });
  node.track.add({ ...part, kind: Kind.wait, startS: arrivedS, endS: releasedS });
  const releaseReason = node.pending?.releaseReason ?? -1;
  node.track.add({ ...part, kind: Kind.down, startS: releasedS, endS: event.at_s, reason: releaseReason });
  for (const hold of node.holds) {
    if (hold.atS <= releasedS) node.track.explainWait(Math.max(hold.atS, arrivedS), hold.reason);
  }
}
