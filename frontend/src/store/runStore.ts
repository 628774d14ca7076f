import { api, ApiError } from "../api/client";
import { isActive } from "../api/states";
import { timelineApi } from "../api/timeline";
import type { Run, TimelineState } from "../api/types";
import { LiveClock } from "./clock";
import type { Event } from "./events";
import { LiveFeed, type FeedOptions, type FeedStatus } from "./live";
import { Forgetting, MOST_FOLDED } from "./forgetting";
import { emptyModel, nodeOf, type RunModel } from "./model";
import { PastStore } from "./past";
import { reduce } from "./reduce";

const SLOW_MS = 250; // figures and tables change at most this often
const MOST_EVENTS = 20_000; // that are folded whole; a longer run is opened near its end
const NUM_RECENT = 10_000; // events that are folded of a longer run
const NUM_JOINED = 200; // of them, at most so many are told late
const BUILD_MS = 500; // between two looks at a timeline that is being built
const RETRY_MS = 2000;

/**
 * What the Run page is drawn from: the fold, the run's record and the state of the stream.
 *
 * A run with many events is opened near its end: the rare events of the whole run are folded first, then what comes
 * late; `past` draws the rest. So it is with a run that becomes long while it is followed: what is old is let go of.
 * Canvases ask `model` and `nowS` in their own frames and never go through React. `subscribe` is for what React
 * draws; it is called at most four times a second, and at once when the run or the stream changes state.
 */
export class RunStore {
  readonly model: RunModel = emptyModel();
  run: Run | null = null;
  status: FeedStatus = { name: "connecting" };
  version = 0; // grows with every call of the listeners
  past: PastStore | null = null; // of a long run
  builtShare: number | null = null; // while the server still builds the timeline of an old run
  openedSeq = 0; // of a long run: the fold holds all events after this one
  private isCounted = true; // the fold has taken in every event, so that its own counts are those of the whole run
  private readonly forgetting = new Forgetting();
  private isForgetting = false;
  private mayForgetMs = 0; // not before
  private isOpen = false;
  private numOpenings = 0;
  private readonly pastListeners = new Set<() => void>();
  private readonly feed: LiveFeed;
  private readonly clock = new LiveClock();
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    readonly runId: string,
    options: Partial<FeedOptions> = {},
  ) {
    this.feed = new LiveFeed({
      runId,
      cursor: () => this.model.lastSeq,
      onEvents: (events) => this.take(events),
      onRun: (run) => this.setRun(run),
      onStatus: (status) => {
        this.status = status;
        this.publish();
      },
      ...options,
    });
  }

  /** The run's time at this moment, in its seconds. Stands still once the run has ended. */
  nowS(): number {
    if (this.model.finishedS !== null) return Math.max(this.model.finishedS, this.model.lastS);
    if (this.model.isSimulated) return this.model.lastS; // virtual time does not pass between two events
    return this.isLive ? this.clock.now(performance.now() / 1000) : this.model.lastS;
  }

  /** Whether the run goes on, as far as is known. */
  get isRunning(): boolean {
    return this.model.finishedS === null && (!this.run || isActive(this.run.state));
  }

  /** Whether the page shows it as it goes on. */
  get isLive(): boolean {
    return this.status.name === "live" && this.isRunning && this.model.numEvents > 0;
  }

  /** Follow the run until `close`. */
  open(): void {
    this.isOpen = true;
    this.past?.open();
    void this.begin(++this.numOpenings);
  }

  /** Open the stream at its start, or, where that is too far away, near its end. */
  private async begin(opening: number): Promise<void> {
    const isWanted = () => this.isOpen && opening === this.numOpenings;
    while (isWanted()) {
      try {
        await this.openLate(isWanted);
        break;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (!error.isConnection) break; // the stream says what it is
        await pause(RETRY_MS);
      }
    }
    if (isWanted()) this.feed.start();
  }

  private async openLate(isWanted: () => boolean): Promise<void> {
    if (this.model.lastSeq > 0) return; // opened before
    const run = this.run ?? (await api.run(this.runId));
    this.setRun(run);
    if (run.last_seq <= MOST_EVENTS) return;
    const untilSeq = run.last_seq - NUM_RECENT;
    const early = timelineApi.landmarks(this.runId, untilSeq).catch(() => null); // a new run's timeline is nearly always there
    let state = await timelineApi.state(this.runId);
    const wasComplete = state.is_complete;
    while (isWanted() && !state.is_complete) {
      this.builtShare = state.last_seq / Math.max(1, state.newest_seq);
      this.publish();
      await pause(BUILD_MS);
      state = await timelineApi.state(this.runId);
    }
    this.builtShare = null;
    if (state.last_seq <= MOST_EVENTS) return;
    const past = this.makePast(state); // asks for the tile of the whole run beside the landmarks
    const { events, last_seq: seq } = (wasComplete ? await early : null) ?? (await timelineApi.landmarks(this.runId, untilSeq));
    if (!isWanted()) {
      past.close();
      return;
    }
    reduce(this.model, events);
    this.model.lastSeq = seq; // all that is left out lies before
    this.model.numEvents = seq;
    this.openedSeq = seq;
    this.model.lastS = Math.max(this.model.lastS, run.summary.duration_s);
    this.model.clocks.clear(); // the last word on them is missing
    this.isCounted = false;
    for (const event of events) this.forgetting.rare.push(event); // too many for arguments
    this.past = this.model.past = past;
    this.setRun(run);
    this.tellPast(); // the lanes are painted first, and React's parts follow
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Hear at once of what has come of the past, to draw it in the next frame. */
  readonly subscribePast = (listener: () => void): (() => void) => {
    this.pastListeners.add(listener);
    return () => this.pastListeners.delete(listener);
  };

  readonly snapshot = (): number => this.version;

  /** Take in the run's record, from the stream or from REST. */
  setRun(run: Run): void {
    const isNews = this.run?.state !== run.state;
    this.run = run;
    if (this.past) takeSummary(this.model, run, this.isCounted);
    if (isNews) this.publish();
    else this.publishSoon();
  }

  close(): void {
    this.isOpen = false;
    this.past?.close();
    this.feed.close();
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private take(events: readonly Event[]): void {
    const numStarts = this.model.starts.length;
    this.fold(events);
    if (this.past && this.past.untilS === Infinity) this.past.untilS = joinedS(events);
    this.forgetting.note(this.model, events, this.past?.untilS ?? -Infinity);
    const isLong = this.model.lastSeq - this.openedSeq > MOST_FOLDED;
    if (isLong && !this.isForgetting && performance.now() >= this.mayForgetMs) void this.forget();
    if (this.model.starts.length !== numStarts) this.clock.reset();
    this.clock.observe(this.model.lastS, performance.now() / 1000);
    this.publishSoon();
  }

  /** Fold events, of which the server's summary may have counted the first ones: those must not count twice. */
  private fold(events: readonly Event[]): void {
    const { model, run } = this;
    const countedSeq = this.isCounted || !run ? 0 : run.summary.num_events;
    const firstNew = events.findIndex(({ seq }) => seq > countedSeq);
    const numCounted = firstNew < 0 ? events.length : firstNew;
    if (numCounted > 0) {
      reduce(model, events.slice(0, numCounted));
      if (run) takeSummary(model, run, this.isCounted);
    }
    reduce(model, events.slice(numCounted));
  }

  private makePast(state: TimelineState): PastStore {
    return new PastStore(this.runId, state, this.forgetting.rare, this.model, () => this.tellPast());
  }

  /** Let go of the older events of a run that has become long, once the server's overview can stand in for them. */
  private async forget(): Promise<void> {
    this.isForgetting = true;
    try {
      if (!(await this.forgetNow())) this.mayForgetMs = performance.now() + RETRY_MS;
    } catch (error) {
      this.mayForgetMs = performance.now() + RETRY_MS;
      if (!(error instanceof ApiError)) throw error; // the connection is told of elsewhere
    } finally {
      this.isForgetting = false;
    }
  }

  private async forgetNow(): Promise<boolean> {
    const { forgetting, model, run } = this;
    const state = await timelineApi.state(this.runId);
    const cut = forgetting.choose(model, this.openedSeq, state.last_seq);
    if (!cut || !run) return false;
    const past = this.past ?? this.makePast(state);
    const knownS = forgetting.knownS(past.untilS);
    if (!(await past.prepare(state, cut.atS, knownS)) || !this.isOpen) return false;
    past.moveTo(cut.atS, knownS);
    this.past = model.past = past;
    this.openedSeq = cut.seq;
    forgetting.forget(model, cut);
    this.setRun(this.run ?? run);
    this.tellPast();
    return true;
  }

  private tellPast(): void {
    for (const listener of this.pastListeners) listener();
    this.publishSoon();
  }

  private publishSoon(): void {
    this.timer ??= setTimeout(() => this.publish(), SLOW_MS);
  }

  private publish(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.version += 1;
    for (const listener of this.listeners) listener();
  }
}

/** Give the time from which these events, the first that are folded, tell everything: they may not be sorted by time. */
function joinedS(events: readonly Event[]): number {
  return events.slice(0, NUM_JOINED).reduce((latestS, event) => Math.max(latestS, event.at_s), 0);
}

/** Take over what the server knows of the whole run, where the fold holds only its end; `isCounted`: it counted on its own. */
function takeSummary(model: RunModel, { summary }: Run, isCounted: boolean): void {
  model.summary = summary;
  if (isCounted || summary.num_events < model.lastSeq) return; // the fold has gone on from an earlier summary
  model.version = Math.max(model.version, summary.version);
  model.numIterations = summary.num_iterations;
  for (const row of summary.workers) {
    const node = nodeOf(model, `worker-${row.worker}`);
    node.iteration = Math.max(node.iteration, row.num_iterations);
    node.clock = Math.max(node.clock, node.iteration);
    node.sentBytes = row.sent_bytes;
    node.receivedBytes = row.received_bytes;
  }
}

function pause(lengthMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, lengthMs));
}
