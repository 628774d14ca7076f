import { describe, expect, it } from "vitest";
import { syntheticLog } from "../../dev/syntheticLog";
import type { Event } from "./events";
import { emptyModel, nodeOf, wallTimeS, type RunModel } from "./model";
import { activityAt, openSpans } from "./open";
import { figuresWithin, outcomeOf, sharesOf } from "./figures";
import { reduce } from "./reduce";
import { Kind } from "./spans";

type Body<E = Event> = E extends Event ? Omit<E, "seq"> : never;

function fold(...bodies: Body[]): RunModel {
  return reduce(emptyModel(), bodies.map((body, i) => ({ seq: i + 1, ...body })));
}

const directive = { push_at: 2, max_ahead: 0, alpha: 0, push_after: "merged", merge: "steps", patience_s: null, is_bounded: false } as const;
const joined: Body = { kind: "WorkerJoined", at_s: 0, worker: 0, incarnation: 0, iteration: 0 };
const computed: Body = {
  kind: "IterationFinished",
  at_s: 2,
  worker: 0,
  iteration: 1,
  epoch: 0,
  started_at_s: 1,
  compute_s: 1,
  target_s: 0,
  loss: 0.5,
  num_samples: 32,
  overlapped_s: 0,
};
const push: Body = {
  kind: "PushArrived",
  at_s: 2.1,
  worker: 0,
  iteration: 1,
  num_iterations: 1,
  compute_s: 1,
  ended_at_s: 2,
  pulled_version: 0,
  is_blocking: true,
  down_s: 0,
};
const held: Body = { kind: "WorkerHeld", at_s: 2.1, worker: 0, waits_for: [1], reason: "waits for worker 1" };
const heldAgain: Body = { kind: "WorkerHeld", at_s: 2.5, worker: 0, waits_for: [2], reason: "waits for worker 2" };
const released: Body = { kind: "WorkerReleased", at_s: 3, worker: 0, version: 1, acknowledged: 1, directive, reason: "go on" };
const landed: Body = {
  kind: "ExchangeFinished",
  at_s: 3.2,
  worker: 0,
  iteration: 1,
  version: 1,
  sent_at_s: 2,
  arrived_at_s: 2.1,
  released_at_s: 3,
  blocked_from_s: 2,
  sent_bytes: 100,
  received_bytes: 200,
};

/** The spans of a node as text, for a glance. */
function lane(model: RunModel, id: string): string[] {
  const { track } = nodeOf(model, id);
  const names = Object.keys(Kind);
  return Array.from({ length: track.length }, (_, i) => {
    const { startS, endS, kind, reason } = track.at(i);
    return `${names[kind] ?? ""} ${startS}-${endS} ${model.sentences[reason] ?? ""}`.trim();
  });
}

const LANE = [
  "compute 1-2",
  "up 2-2.1",
  "wait 2.1-2.5 waits for worker 1",
  "wait 2.5-3 waits for worker 2",
  "down 3-3.2 go on",
];

describe("spans of a worker", () => {
  it("are computation, transfer up, wait with the gate's sentences, transfer down", () => {
    expect(lane(fold(joined, computed, push, held, heldAgain, released, landed), "worker-0")).toEqual(LANE);
  });

  it("are the same however the gate's stream and the worker's are joined", () => {
    const gate = [push, held, heldAgain, released];
    const telemetry = [computed, landed];
    const withoutGo = (one: string) => one.replace(" go on", ""); // unknown when the landing was heard of first
    const wish = LANE.map(withoutGo);
    const orders = Array.from({ length: 64 }, (_, mask) => merge(gate, telemetry, mask)).filter((order) => order !== undefined);
    expect(orders.length).toBe(15); // 6 over 2
    for (const order of orders) {
      const model = fold(joined, ...order);
      expect(lane(model, "worker-0").map(withoutGo)).toEqual(wish);
      expect(activityAt(model, nodeOf(model, "worker-0"), 4).kind).toBe(Kind.compute);
    }
  });

  it("are clipped to the time in which the worker was blocked", () => {
    const atCap: Body = { ...landed, arrived_at_s: 1.5, blocked_from_s: 2.4 };
    expect(lane(fold(joined, computed, atCap), "worker-0")).toEqual(["compute 1-2", "wait 2.4-3", "down 3-3.2"]);
  });

  it("have no exchange in them when the worker never stopped computing", () => {
    const overlapped: Body = { ...computed, overlapped_s: 0.25 };
    const model = fold(joined, overlapped, { ...landed, blocked_from_s: null });
    expect(lane(model, "worker-0")).toEqual(["overlapped 1-1.25", "compute 1.25-2"]);
  });

  it("are marked where the speed model asked for less", () => {
    const model = fold(joined, { ...computed, target_s: 0.8 }, { ...computed, started_at_s: 3, at_s: 4, target_s: 0.95 });
    const { track, numSlow } = nodeOf(model, "worker-0");
    expect([track.at(0).isSlow, track.at(1).isSlow, numSlow]).toEqual([true, false, 1]);
  });
});

/** Join two streams: bit i of the mask tells whose turn it is. Undefined when the mask does not fit. */
function merge(a: readonly Body[], b: readonly Body[], mask: number): Body[] | undefined {
  const out: Body[] = [];
  let [i, j] = [0, 0];
  for (let turn = 0; turn < a.length + b.length; turn++) {
    const next = mask & (1 << turn) ? a[i++] : b[j++];
    if (next === undefined) return undefined;
    out.push(next);
  }
  return out;
}

describe("what has not ended", () => {
  it("is a wait with the gate's sentence while a worker is held", () => {
    const model = fold(joined, computed, push, held, heldAgain);
    expect(activityAt(model, nodeOf(model, "worker-0"), 5)).toEqual({ kind: Kind.wait, sinceS: 2.1, reason: "waits for worker 2" });
    const spans = openSpans(model, nodeOf(model, "worker-0"), 5);
    expect(spans.map(({ kind, startS, endS }) => [kind, startS, endS])).toEqual([
      [Kind.up, 2, 2.1],
      [Kind.wait, 2.1, 2.5],
      [Kind.wait, 2.5, 5],
    ]);
  });

  it("is a transfer once it was released, and a computation once the weights have landed", () => {
    const model = fold(joined, computed, push, held, released);
    expect(activityAt(model, nodeOf(model, "worker-0"), 3.1).kind).toBe(Kind.down);
    reduce(model, [{ seq: 6, ...landed }]);
    expect(activityAt(model, nodeOf(model, "worker-0"), 4)).toEqual({ kind: Kind.compute, sinceS: 3.2, reason: "" });
  });

  it("is a wait at the cap, too, and nothing after the end", () => {
    const report: Body = { kind: "IterationReported", at_s: 2.01, worker: 0, iteration: 1, compute_s: 1, ended_at_s: 2, is_waiting: true, down_s: 0 };
    const model = fold(joined, computed, report);
    expect(activityAt(model, nodeOf(model, "worker-0"), 3).kind).toBe(Kind.wait);
    reduce(model, [{ seq: 4, kind: "RunFinished", at_s: 3, outcome: "completed", reason: "done" }]);
    expect(activityAt(model, nodeOf(model, "worker-0"), 4).kind).toBeNull();
  });

  it("is a loss after a process died, until the worker joins again", () => {
    const died: Body = { kind: "ProcessExited", at_s: 3, node: "worker-0", exit_code: -9, is_expected: false, detail: "killed" };
    const left: Body = { kind: "WorkerLeft", at_s: 3.1, worker: 0, reason: "died" };
    const model = fold(joined, computed, died, left);
    expect(activityAt(model, nodeOf(model, "worker-0"), 9)).toEqual({ kind: Kind.lost, sinceS: 3, reason: "killed" });
    reduce(model, [{ seq: 5, kind: "WorkerJoined", at_s: 8, worker: 0, incarnation: 1, iteration: 1 }]);
    expect(lane(model, "worker-0")).toEqual(["compute 1-2", "lost 3-8 killed"]);
    expect(activityAt(model, nodeOf(model, "worker-0"), 9).kind).toBe(Kind.compute);
  });
});

describe("clocks", () => {
  it("give each push its lead over the slowest member, which may leave", () => {
    const join = (worker: number): Body => ({ ...joined, worker });
    const at = (worker: number, iteration: number): Body => ({ ...push, worker, iteration });
    const model = fold(join(0), join(1), at(0, 1), at(0, 2), at(1, 1), at(0, 3), { kind: "WorkerLeft", at_s: 3, worker: 1, reason: "died" }, at(0, 4));
    const { lead, length } = { lead: model.lead.value, length: model.lead.length };
    expect([...lead.subarray(0, length)]).toEqual([1, 2, 0, 2, 0]);
    expect(nodeOf(model, "worker-0").maxLead).toBe(2);
  });
});

describe("predicted windows", () => {
  const plan = (at_s: number, version: number, cut_at_s: number): Body => ({
    kind: "SyncPlanned",
    at_s,
    version,
    cut_at_s,
    low_at_s: cut_at_s - 0.2,
    high_at_s: cut_at_s + 0.2,
    idle_fraction: 0.1,
    pushes: [],
    reason: "",
  });
  const applied = (at_s: number, version: number): Body => ({ kind: "AggregateApplied", at_s, version, scale: 1, contributions: [], reason: "", momentum: 0, velocity_share: 1 });

  it("keep the first and the newest plan, and what happened", () => {
    const model = fold(plan(1, 1, 2), plan(1.5, 1, 2.3), applied(2.4, 1), plan(2.4, 2, 4));
    const { windows } = model;
    expect([windows.length, windows.get(0, "firstCutS"), windows.get(0, "cutS"), windows.get(0, "numPlans")]).toEqual([2, 2, 2.3, 2]);
    const outcome = outcomeOf(model, 0);
    expect(outcome.errorS).toBeCloseTo(0.1, 9);
    expect(outcome.isCovered).toBe(true);
    expect(model.plan?.version).toBe(2);
    expect(windows.get(1, "actualS")).toBeNaN();
  });

  it("of the time before a resume never happen, and the same version gets a new one", () => {
    const started: Body = { kind: "RunStarted", at_s: 0, wall_time_s: 0, run_id: "r", is_simulated: false, versions: {} };
    const model = fold(started, plan(1, 1, 2), { ...started, at_s: 5 }, plan(6, 1, 7), applied(7, 1));
    expect([model.windows.get(0, "actualS"), model.windows.get(1, "actualS")]).toEqual([Infinity, 7]);
  });
});

describe("the fold of a whole run", () => {
  const log = syntheticLog({ policy: "ssp", factors: [1, 1, 1, 4], seconds: 20, lostWorker: 1 });

  it("does not depend on the batches, and takes nothing in twice", () => {
    const whole = reduce(emptyModel(), log);
    for (const size of [1, 7, 100, 1999]) {
      const parts = emptyModel();
      for (let i = 0; i < log.length; i += size) {
        reduce(parts, log.slice(Math.max(0, i - 3), i + size)); // each batch repeats the end of the one before
      }
      expect(summary(parts)).toEqual(summary(whole));
    }
  });

  it("accounts for the whole life of each worker", () => {
    const model = reduce(emptyModel(), log);
    for (const node of model.workers) {
      const { wallS, computeS, waitS, transferS } = sharesOf(model, node, 0, 20, 20);
      expect(computeS + waitS + transferS).toBeGreaterThan(0.95 * wallS);
      expect(computeS + waitS + transferS).toBeLessThan(wallS + 1e-6);
    }
  });

  it("keeps the wait in which a worker was stopped", () => {
    const left: Body = { kind: "WorkerLeft", at_s: 4, worker: 0, reason: "stopped" };
    const model = fold(joined, computed, push, held, left);
    expect(lane(model, "worker-0")).toEqual(["compute 1-2", "up 2-2.1", "wait 2.1-4 waits for worker 1"]);
  });

  it("counts a worker's time from its joining to its leaving alone", () => {
    const left: Body = { kind: "WorkerLeft", at_s: 6, worker: 0, reason: "died" };
    const again: Body = { ...joined, at_s: 8, incarnation: 1 };
    const model = fold({ ...joined, at_s: 0.5 }, computed, left, again);
    expect(sharesOf(model, nodeOf(model, "worker-0"), 0, 10, 10)).toMatchObject({ wallS: 5.5 + 2, computeS: 1 + 2 });
    expect(sharesOf(model, nodeOf(model, "worker-0"), 6.5, 7.5, 10).wallS).toBe(0);
  });

  it("has figures in their ranges", () => {
    const model = reduce(emptyModel(), log);
    const { utilisation, waitShare, iterationsPerS, loss, bytesPerS } = figuresWithin(model, 5, 10, 20);
    expect((utilisation ?? 0) + (waitShare ?? 0)).toBeLessThanOrEqual(1);
    expect(waitShare).toBeGreaterThan(0.3); // SSP with a worker that is four times slower
    expect(iterationsPerS).toBeGreaterThan(5);
    expect(loss).toBeGreaterThan(0);
    expect(bytesPerS).toBeGreaterThan(1e5);
  });
});

describe("a run that was resumed", () => {
  const started = (at_s: number, wall_time_s: number, is_simulated = false): Body => ({
    kind: "RunStarted",
    at_s,
    wall_time_s,
    run_id: "r",
    versions: {},
    is_simulated,
  });
  const said = (at_s: number): Body => ({ kind: "MessageLogged", at_s, node: "server", level: "info", text: "said" });
  const times = (model: RunModel) => model.entries.filter(({ kind }) => kind === "message").map((entry) => wallTimeS(model, entry));

  it("happened when it did, before its pause and after it", () => {
    expect(times(fold(started(0, 1000), said(10), started(60, 8000), said(70)))).toEqual([1010, 8010]);
    expect(times(fold(started(0, 1000, true), said(5000)))).toEqual([null]); // virtual time
  });
});

describe("the best accuracy", () => {
  it("is kept as evaluations come", () => {
    const accuracies = [0.4, 0.9, 0.7];
    const evaluations = accuracies.map((accuracy, i): Body => ({
      kind: "EvaluationFinished",
      at_s: i + 1,
      snapshot_at_s: i,
      version: i,
      loss: 1,
      accuracy,
      num_samples: 100,
      is_final: false,
    }));
    expect([fold().bestAccuracy, fold(...evaluations).bestAccuracy]).toEqual([null, 0.9]);
  });
});

/** All that the views can see of a model, comparable. */
function summary(model: RunModel): unknown {
  return {
    ...model,
    sentenceIndex: null,
    nodes: [...model.nodes.values()].map((node) => ({ ...node, lane: lane(model, node.id) })),
  };
}
