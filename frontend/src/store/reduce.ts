/**
 * The fold: state = reduce(state, events).
 *
 * It knows no clock, socket or screen, so the same log always gives the same state, live or a year later, in
 * one go or in any batches. The state is changed in place, since a copy of a million spans for each batch
 * would not do; O(1) amortised for each event. The log joins several streams (the gate's and each process's
 * own), each ordered by time, but not among one another: what belongs together may come in any order.
 */

import type { Event, EventKind, EventOf } from "./events";
import { exchangeFinished, iterationFinished, iterationReported, pushArrived, workerHeld, workerReleased } from "./exchange";
import {
  messageLogged,
  nodeSampled,
  nodeStarted,
  processExited,
  runFinished,
  runResumed,
  runStarted,
  workerJoined,
  workerLeft,
} from "./life";
import { intern, nodeOf, workerOf, type RunModel } from "./model";
import { Kind } from "./spans";

type Handlers = { [K in EventKind]: (model: RunModel, event: EventOf<K>) => void };

const HANDLERS: Handlers = {
  WorkerJoined: workerJoined,
  WorkerLeft: workerLeft,
  PushArrived: pushArrived,
  IterationReported: iterationReported,
  DeadlinePassed: nothingToShow,
  Retuned: retuned,
  RunResumed: runResumed,
  WorkerReleased: workerReleased,
  WorkerHeld: workerHeld,
  DirectiveChanged: nothingToShow,
  AggregateApplied: aggregateApplied,
  PushDiscarded: pushDiscarded,
  SyncPlanned: syncPlanned,
  ForecastUpdated: forecastUpdated,
  WakeAt: nothingToShow,
  RunStarted: runStarted,
  NodeStarted: nodeStarted,
  IterationFinished: iterationFinished,
  ExchangeFinished: exchangeFinished,
  EvaluationFinished: evaluationFinished,
  TargetReached: targetReached,
  CheckpointWritten: checkpointWritten,
  NodeSampled: nodeSampled,
  ProcessExited: processExited,
  MessageLogged: messageLogged,
  RunFinished: runFinished,
};

/** Take events in, in the order of `seq`; those that were taken in before are skipped. Gives the same state. */
export function reduce(model: RunModel, events: readonly Event[]): RunModel {
  for (const event of events) {
    if (event.seq <= model.lastSeq) continue;
    model.lastSeq = event.seq;
    model.numEvents += 1;
    if (event.at_s > model.lastS) model.lastS = event.at_s;
    handle(model, event);
  }
  return model;
}

function handle<K extends EventKind>(model: RunModel, event: EventOf<K>): void {
  const handler = HANDLERS[event.kind] as Handlers[K] | undefined;
  handler?.(model, event); // a newer log may hold kinds that this page does not know yet
}

function nothingToShow(): void {
  return;
}

function aggregateApplied(model: RunModel, event: EventOf<"AggregateApplied">): void {
  let maxStaleness = 0;
  for (const { worker, staleness } of event.contributions) {
    maxStaleness = Math.max(maxStaleness, staleness);
    model.staleness.add(event.at_s, staleness);
    workerOf(model, worker).staleness.add(event.at_s, staleness);
  }
  model.version = event.version;
  model.aggregates.add(event.at_s, {
    version: event.version,
    numPushes: event.contributions.length,
    maxStaleness,
    scale: event.scale,
    reason: intern(model, event.reason),
    seq: event.seq,
  });
  const row = windowRow(model, event.version);
  if (row >= 0) model.windows.set(row, "actualS", event.at_s);
}

function syncPlanned(model: RunModel, event: EventOf<"SyncPlanned">): void {
  const { windows } = model;
  let row = windowRow(model, event.version);
  if (row < 0) {
    row = windows.add(event.at_s, {
      version: event.version,
      plannedS: event.at_s,
      cutS: event.cut_at_s,
      lowS: event.low_at_s,
      highS: event.high_at_s,
      idle: event.idle_fraction,
      firstCutS: event.cut_at_s,
      firstLowS: event.low_at_s,
      firstHighS: event.high_at_s,
      numPlans: 0,
      actualS: NaN,
      numPushes: event.pushes.length,
      seq: event.seq,
    });
  }
  windows.set(row, "plannedS", event.at_s);
  windows.set(row, "cutS", event.cut_at_s);
  windows.set(row, "lowS", event.low_at_s);
  windows.set(row, "highS", event.high_at_s);
  windows.set(row, "idle", event.idle_fraction);
  windows.set(row, "numPlans", windows.get(row, "numPlans") + 1);
  windows.set(row, "seq", event.seq);
  model.plan = { version: event.version, pushes: event.pushes, reason: event.reason };
}

function forecastUpdated(model: RunModel, event: EventOf<"ForecastUpdated">): void {
  workerOf(model, event.worker).forecasts.add(event);
}

/** Give the row of the prediction of a version that has not happened yet, or -1: it is among the newest. */
function windowRow(model: RunModel, version: number): number {
  const { windows } = model;
  for (let i = windows.length - 1; i >= Math.max(0, windows.length - 8); i--) {
    if (windows.get(i, "version") === version && Number.isNaN(windows.get(i, "actualS"))) return i;
  }
  return -1;
}

function pushDiscarded(model: RunModel, event: EventOf<"PushDiscarded">): void {
  workerOf(model, event.worker).numDiscarded += 1;
}

function retuned(model: RunModel, event: EventOf<"Retuned">): void {
  const write = ([name, value]: [string, unknown]) => `${name} = ${JSON.stringify(value)}`;
  const forecaster = Object.entries(event.forecaster ?? {}).map((one) => `forecaster ${write(one)}`);
  const changes = [...Object.entries(event.params).map(write), ...forecaster];
  model.entries.push({
    seq: event.seq,
    atS: event.at_s,
    kind: "retuned",
    node: "server",
    level: "info",
    text: `settings were changed: ${changes.join(", ")}`,
  });
}

function evaluationFinished(model: RunModel, event: EventOf<"EvaluationFinished">): void {
  model.evaluations.add(event.snapshot_at_s, {
    version: event.version,
    iterations: model.numIterations,
    loss: event.loss ?? NaN, // diverged
    accuracy: event.accuracy,
    isFinal: event.is_final ? 1 : 0,
  });
  model.bestAccuracy = Math.max(model.bestAccuracy ?? 0, event.accuracy);
  nodeOf(model, "evaluator").track.add({
    startS: event.snapshot_at_s,
    endS: event.at_s,
    kind: Kind.evaluation,
    iteration: event.version,
    reason: -1,
    value: event.accuracy,
    isSlow: false,
    seq: event.seq,
  });
}

function targetReached(model: RunModel, event: EventOf<"TargetReached">): void {
  model.targetS ??= event.at_s;
  model.entries.push({
    seq: event.seq,
    atS: event.at_s,
    kind: "target",
    node: null,
    level: "info",
    text: `target reached: ${event.metric.replace("_", " ")} ${event.value}`,
  });
}

function checkpointWritten(model: RunModel, event: EventOf<"CheckpointWritten">): void {
  model.entries.push({
    seq: event.seq,
    atS: event.at_s,
    kind: "checkpoint",
    node: null,
    level: "info",
    text: `checkpoint of version ${event.version} written: ${event.file}`,
  });
}
