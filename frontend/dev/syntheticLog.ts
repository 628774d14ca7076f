/**
 * Make logs that look like real ones, for tests, measurements and work on the views without a cluster.
 *
 * A small discrete-event simulation of workers under `ssp` or a simplified `predictive`. Its numbers mean nothing.
 */

import type { Event } from "../src/store/events";

type Body<E = Event> = E extends Event ? Omit<E, "seq"> : never;

export interface LogOptions {
  policy: "ssp" | "predictive";
  factors: readonly number[]; // slowness of each worker
  seconds: number;
  baseS?: number;
  cv?: number;
  transferS?: number;
  threshold?: number;
  lostWorker?: number; // this worker dies at 60% of the time
  isEnded?: boolean;
  seed?: number;
}

interface WorkerState {
  iteration: number;
  clock: number;
  pulledVersion: number;
  pushAt: number;
  pushedS: number | null; // a push is in flight since
  arrivedS: number | null;
  acknowledgedIteration: number;
  blockedFromS: number | null;
  isWaiting: boolean;
  isGone: boolean;
  runningUntilS: number;
}

const MODEL_BYTES = 37_320;
const MAX_AHEAD = 4;

/** Simulate a run and give its events, numbered from 1, joined from several streams as a coordinator would. */
export function syntheticLog(options: LogOptions): Event[] {
  const simulation = new Simulation(options);
  return simulation.run();
}

class Simulation {
  private readonly baseS: number;
  private readonly cv: number;
  private readonly transferS: number;
  private readonly threshold: number;
  private readonly queue = new Queue();
  private readonly log: { appendS: number; body: Body }[] = [];
  private readonly workers: WorkerState[];
  private version = 0;
  private nowS = 0;
  private roundS = 0;
  private pushed: { worker: number; num: number; staleness: number }[] = [];
  private seed: number;

  constructor(private readonly options: LogOptions) {
    this.baseS = options.baseS ?? 0.06;
    this.cv = options.cv ?? 0.12;
    this.transferS = options.transferS ?? 0.012;
    this.threshold = options.threshold ?? 3;
    this.seed = options.seed ?? 7;
    this.workers = options.factors.map(() => ({
      iteration: 0,
      clock: 0,
      pulledVersion: 0,
      pushAt: 1,
      pushedS: null,
      arrivedS: null,
      acknowledgedIteration: 0,
      blockedFromS: null,
      isWaiting: true,
      isGone: false,
      runningUntilS: 0,
    }));
  }

  run(): Event[] {
    const { seconds, lostWorker, isEnded = true } = this.options;
    this.start();
    for (let next = this.queue.pop(); next && next.atS < seconds; next = this.queue.pop()) {
      this.nowS = next.atS;
      next.act();
    }
    if (lostWorker !== undefined && seconds * 0.6 > this.nowS) throw new Error("the log is too short for a loss");
    if (isEnded) this.tell(seconds, { kind: "RunFinished", at_s: seconds, outcome: "completed", reason: `${seconds} s have passed` }, 0.2);
    this.log.sort((a, b) => a.appendS - b.appendS);
    return this.log.map(({ body }, i) => ({ seq: i + 1, ...body }));
  }

  private random(): number {
    this.seed = (this.seed * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return this.seed / 4_294_967_296;
  }

  private jitter(): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.random())) * Math.cos(2 * Math.PI * this.random());
    return Math.exp(this.cv * normal - (this.cv * this.cv) / 2);
  }

  /** Append to the log; telemetry comes later than the gate's own stream. */
  private tell(atS: number, body: Body, delayS = 0.001): void {
    this.log.push({ appendS: atS + delayS, body });
  }

  private observe(body: Body): void {
    this.tell(body.at_s, body, 0.01 + 0.04 * this.random());
  }

  private start(): void {
    const versions = { foresync: "0.0.0", python: "3.11.7", torch: "2.13.0" };
    this.tell(0, { kind: "RunStarted", at_s: 0, wall_time_s: 1_760_000_000, run_id: "synthetic", is_simulated: false, versions }, 0);
    const nodes = ["server", "evaluator", ...this.workers.map((_, i) => `worker-${i}`)];
    nodes.forEach((node, i) => {
      this.tell(0.02, { kind: "NodeStarted", at_s: 0.02, node, pid: 4200 + i, incarnation: 0 });
      this.sample(node, 0.5 + i * 0.07, 0);
    });
    this.tell(0.03, { kind: "MessageLogged", at_s: 0.03, node: "server", level: "info", text: "model mlp: 9,330 parameters, 37.3 kB" });
    this.workers.forEach((_, worker) => {
      const joinS = 0.3 + 0.03 * worker;
      this.queue.push(joinS, () => {
        this.tell(joinS, { kind: "WorkerJoined", at_s: joinS, worker, incarnation: 0, iteration: 0 });
        (this.workers[worker] as WorkerState).blockedFromS = joinS;
        this.release(worker, "joined: gets the first weights");
      });
    });
    this.evaluate(1);
    if (this.options.lostWorker !== undefined) this.queue.push(this.options.seconds * 0.6, () => this.lose(this.options.lostWorker as number));
  }

  private sample(node: string, atS: number, bytes: number): void {
    this.queue.push(atS, () => {
      if (this.workers[Number(node.split("-")[1])]?.isGone) return;
      const cpu_share = (node === "server" ? 0.06 : 0.12) + 0.04 * this.random();
      const memory_bytes = 1.9e8 + 4e6 * this.random() + atS * 2e4;
      this.observe({ kind: "NodeSampled", at_s: atS, node, cpu_share, memory_bytes, sent_bytes: bytes, received_bytes: bytes });
      this.sample(node, atS + 1, bytes + 2e5);
    });
  }

  private evaluate(atS: number): void {
    this.queue.push(atS, () => {
      const endS = atS + 0.05 + 0.04 * this.random();
      const accuracy = 0.95 - 0.85 * Math.exp(-atS / 9) + 0.006 * this.random();
      const loss = 0.18 + 2.1 * Math.exp(-atS / 8) + 0.01 * this.random();
      const { version } = this;
      this.observe({ kind: "EvaluationFinished", at_s: endS, snapshot_at_s: atS, version, loss, accuracy, num_samples: 397, is_final: false });
      this.evaluate(atS + 0.5);
    });
  }

  private lose(worker: number): void {
    (this.workers[worker] as WorkerState).isGone = true;
    const at_s = this.nowS;
    this.tell(at_s, { kind: "ProcessExited", at_s, node: `worker-${worker}`, exit_code: -9, is_expected: false, detail: "killed by SIGKILL" });
    this.tell(at_s, { kind: "WorkerLeft", at_s, worker, reason: "died" });
    this.decide();
  }

  // ---- one worker ---------------------------------------------------------------------------------------

  private iterate(worker: number): void {
    const state = this.workers[worker] as WorkerState;
    const startedS = this.nowS;
    const compute_s = this.baseS * (this.options.factors[worker] as number) * this.jitter() * (this.random() < 0.01 ? 2.5 : 1);
    const endS = startedS + compute_s;
    state.runningUntilS = endS;
    this.queue.push(endS, () => {
      if (state.isGone) return;
      state.iteration += 1;
      const loss = 0.15 + 2.2 * Math.exp(-endS / 7) * (0.85 + 0.3 * this.random());
      this.observe({
        kind: "IterationFinished",
        at_s: endS,
        worker,
        iteration: state.iteration,
        epoch: Math.floor(state.iteration / 12),
        started_at_s: startedS,
        compute_s,
        target_s: compute_s / (this.random() < 0.004 ? 1.3 : 1),
        loss,
        num_samples: 32,
        overlapped_s: state.pushedS === null ? 0 : compute_s,
      });
      this.boundary(worker, compute_s);
    });
  }

  private boundary(worker: number, compute_s: number): void {
    const state = this.workers[worker] as WorkerState;
    const ended_at_s = this.nowS;
    const { iteration } = state;
    const isBlocking = this.options.policy === "ssp";
    if (state.pushedS === null && (isBlocking || iteration >= state.pushAt)) {
      state.pushedS = ended_at_s;
      if (isBlocking) state.blockedFromS = ended_at_s;
      const num_iterations = iteration - state.clock;
      this.queue.push(ended_at_s + this.transferS / 2, () => this.arrive(worker, { num_iterations, compute_s, ended_at_s, iteration }));
      if (!isBlocking) this.iterate(worker);
      return;
    }
    const is_waiting = state.pushedS !== null && iteration - state.clock >= MAX_AHEAD;
    if (is_waiting) state.blockedFromS = ended_at_s;
    state.isWaiting = is_waiting;
    const at_s = this.nowS + 0.0004;
    this.tell(at_s, { kind: "IterationReported", at_s, worker, iteration, compute_s, ended_at_s, is_waiting, down_s: 0 });
    if (is_waiting) this.decide();
    else this.iterate(worker);
  }

  private arrive(worker: number, push: { num_iterations: number; compute_s: number; ended_at_s: number; iteration: number }): void {
    const state = this.workers[worker] as WorkerState;
    const at_s = this.nowS;
    const is_blocking = this.options.policy === "ssp";
    state.clock = push.iteration;
    state.arrivedS = at_s;
    state.isWaiting ||= is_blocking;
    this.tell(at_s, { kind: "PushArrived", at_s, worker, ...push, pulled_version: state.pulledVersion, is_blocking, down_s: 0 });
    this.pushed.push({ worker, num: push.num_iterations, staleness: this.version - state.pulledVersion });
    if (is_blocking) this.apply(0.25, `applied at arrival, ${this.version - state.pulledVersion} updates stale`);
    this.decide();
  }

  private release(worker: number, reason: string): void {
    const state = this.workers[worker] as WorkerState;
    const at_s = this.nowS;
    const max_ahead = this.options.policy === "ssp" ? 0 : MAX_AHEAD;
    const directive = { push_at: state.pushAt, max_ahead, alpha: 0.5, push_after: "merged", merge: "steps", patience_s: null, is_bounded: false } as const;
    const { version } = this;
    this.tell(at_s, { kind: "WorkerReleased", at_s, worker, version, acknowledged: state.clock, directive, reason });
    const { blockedFromS, pushedS, arrivedS, clock } = state;
    const wasWaiting = state.isWaiting;
    state.isWaiting = false;
    this.held.delete(worker);
    this.queue.push(at_s + this.transferS / 2, () => {
      if (state.isGone) return;
      state.pulledVersion = version;
      state.pushedS = null;
      state.blockedFromS = null;
      this.observe({
        kind: "ExchangeFinished",
        at_s: this.nowS,
        worker,
        iteration: clock,
        version,
        sent_at_s: pushedS ?? at_s,
        arrived_at_s: arrivedS ?? at_s,
        released_at_s: at_s,
        blocked_from_s: wasWaiting ? blockedFromS : null,
        sent_bytes: clock > 0 ? MODEL_BYTES : 0,
        received_bytes: MODEL_BYTES,
      });
      if (wasWaiting) this.iterate(worker);
    });
  }

  // ---- the gate -----------------------------------------------------------------------------------------

  private apply(scale: number, reason: string): void {
    const at_s = this.nowS;
    this.version += 1;
    const contributions = this.pushed.map(({ worker, num, staleness }) => ({
      worker,
      iteration: this.workers[worker]?.clock ?? 0,
      num_iterations: num,
      staleness,
    }));
    this.tell(at_s, { kind: "AggregateApplied", at_s, version: this.version, scale, contributions, reason, momentum: 0, velocity_share: 1 });
    this.pushed = [];
  }

  private decide(): void {
    if (this.options.policy === "ssp") this.decideSsp();
    else this.decidePredictive();
  }

  private decideSsp(): void {
    const members = this.workers.map((state, worker) => ({ state, worker })).filter(({ state }) => !state.isGone);
    const slowest = Math.min(...members.map(({ state }) => state.clock));
    const behind = members.filter(({ state }) => state.clock === slowest).map(({ worker }) => worker);
    for (const { state, worker } of members) {
      if (!state.isWaiting) continue;
      const lead = state.clock - slowest;
      if (lead <= this.threshold) this.release(worker, `leads by ${lead}, threshold ${this.threshold}`);
      else this.hold(worker, behind, `waits for worker ${behind.join(" and ")}: leads by ${lead}, threshold ${this.threshold}`);
    }
  }

  private readonly held = new Map<number, string>();

  private hold(worker: number, waits_for: number[], reason: string): void {
    if (this.held.get(worker) === reason) return;
    this.held.set(worker, reason);
    this.tell(this.nowS, { kind: "WorkerHeld", at_s: this.nowS, worker, waits_for, reason });
  }

  private decidePredictive(): void {
    const here = new Set(this.pushed.map(({ worker }) => worker));
    const missing = this.workers.flatMap((state, worker) => (state.isGone || here.has(worker) ? [] : [worker]));
    if (missing.length > 0) {
      this.plan(missing);
      this.workers.forEach((state, worker) => {
        if (!state.isWaiting || !here.has(worker)) return;
        this.hold(worker, missing, `waits for the push of worker ${missing.join(" and ")}: 4 iterations past its own, the limit`);
      });
      return;
    }
    this.apply(1 / this.workers.length, "workers 0, 1, 2 and 3 pushed");
    this.roundS = this.nowS;
    const slowestS = this.baseS * Math.max(...this.options.factors);
    this.workers.forEach((state, worker) => {
      if (state.isGone) return;
      const num = Math.max(1, Math.round(slowestS / (this.baseS * (this.options.factors[worker] as number))));
      state.pushAt = state.iteration + num;
      this.release(worker, "synchronised: workers 0, 1, 2 and 3 pushed");
    });
    this.plan(this.workers.flatMap((state, worker) => (state.isGone ? [] : [worker])));
  }

  private plan(missing: readonly number[]): void {
    if (this.version === 0) return;
    const slowestS = this.baseS * Math.max(...this.options.factors) + this.transferS / 2;
    const cut = Math.max(this.nowS + 0.01, this.roundS + slowestS * (0.96 + 0.1 * this.random()));
    const pushes = missing.map((worker) => {
      const expected_at_s = cut - 0.02 * this.random();
      const iteration = this.workers[worker]?.pushAt ?? 0;
      return { worker, iteration, expected_at_s, low_at_s: expected_at_s - 0.02, high_at_s: expected_at_s + 0.03 };
    });
    const window = { cut_at_s: cut, low_at_s: Math.max(this.nowS, cut - 0.12 * slowestS), high_at_s: cut + 0.16 * slowestS };
    const reason = `least idle share, ${pushes.length} pushes awaited`;
    this.tell(this.nowS, { kind: "SyncPlanned", at_s: this.nowS, version: this.version + 1, ...window, idle_fraction: 0.03, pushes, reason });
  }
}

/** A heap of what happens next; equal times keep their order. */
class Queue {
  private readonly heap: { atS: number; order: number; act: () => void }[] = [];
  private order = 0;

  push(atS: number, act: () => void): void {
    const { heap } = this;
    let i = heap.push({ atS, order: this.order++, act }) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.isBefore(i, parent)) break;
      this.swap(i, parent);
      i = parent;
    }
  }

  pop(): { atS: number; act: () => void } | undefined {
    const { heap } = this;
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    heap[0] = last;
    for (let i = 0; ; ) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) if (child < heap.length && this.isBefore(child, least)) least = child;
      if (least === i) return top;
      this.swap(i, least);
      i = least;
    }
  }

  private isBefore(a: number, b: number): boolean {
    const x = this.heap[a];
    const y = this.heap[b];
    return x !== undefined && y !== undefined && (x.atS < y.atS || (x.atS === y.atS && x.order < y.order));
  }

  private swap(a: number, b: number): void {
    const x = this.heap[a];
    const y = this.heap[b];
    if (x && y) [this.heap[a], this.heap[b]] = [y, x];
  }
}
