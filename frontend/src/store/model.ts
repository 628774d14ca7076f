import type { Run } from "../api/types";
import { Clocks } from "./clocks";
import type { PlannedPush } from "./events";
import { ForecastTrack } from "./forecastTrack";
import { TimeSeries } from "./series";
import { SpanTrack } from "./spans";
import { Table } from "./table";

/** What a node's life has come to. */
export type Life = "expected" | "started" | "joined" | "finished" | "stopped" | "lost";

/** A reason to wait that the gate gave at a time. */
export interface Hold {
  atS: number;
  reason: number; // index into `RunModel.sentences`
  waitsFor: readonly number[];
}

/** An exchange on its way, known from the gate alone until its stamps come back with `ExchangeFinished`. */
export interface Pending {
  fromS: number; // the worker stopped computing
  arrivedS: number; // at the server
  releasedS: number | null;
  releaseReason: number;
  iteration: number;
}

/** All that is known of a node. Plain numbers are the newest value; the rest is history. */
export interface NodeModel {
  id: string; // "server", "evaluator", "worker-3"
  worker: number | null;
  track: SpanTrack;
  life: Life;
  pid: number | null;
  incarnation: number;
  bornS: number | null; // of the first sign of life
  goneS: number | null; // when it left or was lost; null while it lives
  exit: string; // how it ended, in words
  lives: { fromS: number; toS: number }[]; // from each joining to its leaving; the present one lasts for ever
  landedS: number; // when it last got weights
  pending: Pending | null;
  holds: Hold[]; // not yet matched with an exchange
  forecasts: ForecastTrack; // of its iterations, under policies that forecast
  iteration: number;
  clock: number; // iterations pushed
  version: number; // of the weights that it holds
  maxLead: number;
  numPushes: number;
  numDiscarded: number;
  numSlow: number; // iterations longer than the speed model asked for, by more than a tenth
  sentBytes: number;
  receivedBytes: number;
  lead: TimeSeries;
  staleness: TimeSeries;
  cpu: TimeSeries;
  memory: TimeSeries;
}

export type EntryKind =
  | "started"
  | "resumed"
  | "finished"
  | "joined"
  | "left"
  | "lost"
  | "exited"
  | "checkpoint"
  | "target"
  | "retuned"
  | "message";

/** A line of the run's diary: shown in the log, and marked on the timeline unless it is a plain message. */
export interface Entry {
  seq: number;
  atS: number;
  kind: EntryKind;
  node: string | null;
  level: "info" | "warning" | "error";
  text: string;
}

export type AggregateColumn = "version" | "numPushes" | "maxStaleness" | "scale" | "reason" | "seq";

/**
 * Predicted synchronisations, one row for each version, at the time of the first plan for it. A round is
 * re-planned at every push: `first...` is the earliest plan, the others are the newest one. `actualS` is NaN
 * until it happened, and infinite if it never did because the run ended.
 */
export type WindowColumn =
  | "version"
  | "plannedS"
  | "cutS"
  | "lowS"
  | "highS"
  | "idle"
  | "firstCutS"
  | "firstLowS"
  | "firstHighS"
  | "numPlans"
  | "actualS"
  | "numPushes"
  | "seq";

/** A start of the run, the first or after a pause: what follows happened `wallOffsetS` + its own time, in Unix seconds. */
export interface Start {
  seq: number;
  wallOffsetS: number;
}

export type EvaluationColumn = "version" | "iterations" | "loss" | "accuracy" | "isFinal";

/** Seconds of each kind, by `Kind`, and what all workers together did, in a stretch of time. */
export interface Counts {
  iterations: number;
  losses: number; // of the iterations, those with a loss
  lossSum: number;
  bytes: number;
  updates: number;
}

/** The older part of a long run, which the fold does not hold. */
export interface Past {
  untilS: number; // from here on the fold holds everything
  /** Give the fold of the events around a time, or null while only seconds of each kind are known there. */
  modelAt: (atS: number) => RunModel | null;
  /** Add the seconds of each kind that a worker, or all of them (null), spent in [fromS, toS), all of it in the past. */
  addSeconds: (worker: number | null, fromS: number, toS: number, out: Float64Array) => void;
  /** Give the seconds that groups of workers waited: for group g in the i-th equal part of time, at g * num + i. */
  waiting: (groups: readonly (readonly number[])[], first: number, num: number, stepS: number) => Float64Array;
  counts: (fromS: number, toS: number) => Counts;
}

/**
 * The whole state of the page: a fold over the log. Views read it; only `reduce` writes it.
 *
 * Of a long run it holds the rare events from the start on, and all events from `past.untilS` on.
 */
export interface RunModel {
  past: Past | null; // null: the fold holds the whole run
  summary: Run["summary"] | null; // with a past: the figures of the whole run so far
  lastSeq: number;
  lastS: number; // the latest time that any event told of
  numEvents: number;
  runId: string;
  isSimulated: boolean;
  starts: Start[]; // two after one resume
  versions: Record<string, string>;
  outcome: "completed" | "stopped" | "failed" | null;
  closing: string; // the closing sentence
  finishedS: number | null;

  nodes: Map<string, NodeModel>;
  workers: NodeModel[]; // by number
  sentences: string[];
  sentenceIndex: Map<string, number>;
  blamed: Map<number, readonly number[]>; // sentence of a wait -> the workers that it waits for
  clocks: Clocks;
  version: number;
  numIterations: number;

  steps: TimeSeries; // compute time of each iteration, at its end
  trainLoss: TimeSeries;
  bytes: TimeSeries; // payload of each exchange, both ways
  staleness: TimeSeries; // of each contribution
  lead: TimeSeries; // of the pushing worker, at its push
  aggregates: Table<AggregateColumn>;
  windows: Table<WindowColumn>;
  plan: { version: number; pushes: readonly PlannedPush[]; reason: string } | null; // the newest plan
  evaluations: Table<EvaluationColumn>;
  bestAccuracy: number | null;
  targetS: number | null;
  entries: Entry[];
}

/** Give the state before the first event. */
export function emptyModel(): RunModel {
  return {
    past: null,
    summary: null,
    lastSeq: 0,
    lastS: 0,
    numEvents: 0,
    runId: "",
    isSimulated: false,
    starts: [],
    versions: {},
    outcome: null,
    closing: "",
    finishedS: null,
    nodes: new Map(),
    workers: [],
    sentences: [],
    sentenceIndex: new Map(),
    blamed: new Map(),
    clocks: new Clocks(),
    version: 0,
    numIterations: 0,
    steps: new TimeSeries(),
    trainLoss: new TimeSeries(),
    bytes: new TimeSeries(),
    staleness: new TimeSeries(),
    lead: new TimeSeries(),
    aggregates: new Table(["version", "numPushes", "maxStaleness", "scale", "reason", "seq"]),
    windows: new Table([
      "version",
      "plannedS",
      "cutS",
      "lowS",
      "highS",
      "idle",
      "firstCutS",
      "firstLowS",
      "firstHighS",
      "numPlans",
      "actualS",
      "numPushes",
      "seq",
    ]),
    plan: null,
    evaluations: new Table(["version", "iterations", "loss", "accuracy", "isFinal"]),
    bestAccuracy: null,
    targetS: null,
    entries: [],
  };
}

/** Give the Unix time in seconds of what the log tells of; null in virtual time, where nothing happened at any. */
export function wallTimeS({ starts, isSimulated }: RunModel, { seq, atS }: { seq: number; atS: number }): number | null {
  const start = isSimulated ? undefined : starts.findLast((one) => one.seq <= seq);
  return start ? start.wallOffsetS + atS : null;
}

/** Give the node of that name, which is made when it is heard of for the first time. */
export function nodeOf(model: RunModel, id: string): NodeModel {
  const known = model.nodes.get(id);
  if (known) return known;
  const worker = /^worker-(\d+)$/.exec(id);
  const node: NodeModel = {
    id,
    worker: worker ? Number(worker[1]) : null,
    track: new SpanTrack(),
    life: "expected",
    pid: null,
    incarnation: 0,
    bornS: null,
    goneS: null,
    exit: "",
    lives: [],
    landedS: -Infinity,
    pending: null,
    holds: [],
    forecasts: new ForecastTrack(),
    iteration: 0,
    clock: 0,
    version: 0,
    maxLead: 0,
    numPushes: 0,
    numDiscarded: 0,
    numSlow: 0,
    sentBytes: 0,
    receivedBytes: 0,
    lead: new TimeSeries(),
    staleness: new TimeSeries(),
    cpu: new TimeSeries(),
    memory: new TimeSeries(),
  };
  model.nodes.set(id, node);
  if (node.worker !== null) {
    model.workers.push(node);
    model.workers.sort((a, b) => (a.worker ?? 0) - (b.worker ?? 0));
  }
  return node;
}

export function workerOf(model: RunModel, worker: number): NodeModel {
  return nodeOf(model, `worker-${worker}`);
}

/** Name a node for a person: "worker 3", "server". */
export function nodeName(id: string): string {
  return id.replace("-", " ");
}

/** Give the fold that knows what happened around a time; the present one where no other does. */
export function modelAround(model: RunModel, atS: number): RunModel {
  return model.past?.modelAt(atS) ?? model;
}

/** Keep a sentence once and give its index. */
export function intern(model: RunModel, sentence: string): number {
  const known = model.sentenceIndex.get(sentence);
  if (known !== undefined) return known;
  const index = model.sentences.push(sentence) - 1;
  model.sentenceIndex.set(sentence, index);
  return index;
}
