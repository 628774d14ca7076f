import type { Run } from "../api/types";
import { LiveClock } from "./clock";
import type { Event } from "./events";
import { LiveFeed, type FeedOptions, type FeedStatus } from "./live";
import { emptyModel, type RunModel } from "./model";
import { reduce } from "./reduce";

const SLOW_MS = 250; // figures and tables change at most this often

/**
 * What the Run page is drawn from: the fold, the run's record and the state of the stream.
 *
 * Canvases ask `model` and `nowS` in their own frames and never go through React. `subscribe` is for what React
 * draws; it is called at most four times a second, and at once when the run or the stream changes state.
 */
export class RunStore {
  readonly model: RunModel = emptyModel();
  run: Run | null = null;
  status: FeedStatus = { name: "connecting" };
  version = 0; // grows with every call of the listeners
  private readonly feed: LiveFeed;
  private readonly clock = new LiveClock();
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(runId: string, options: Partial<FeedOptions> = {}) {
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
    const state = this.run?.state;
    return this.model.finishedS === null && state !== "completed" && state !== "stopped" && state !== "failed";
  }

  /** Whether the page shows it as it goes on. */
  get isLive(): boolean {
    return this.status.name === "live" && this.isRunning && this.model.numEvents > 0;
  }

  /** Follow the run until `close`. */
  open(): void {
    this.feed.start();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): number => this.version;

  /** Take in the run's record, from the stream or from REST. */
  setRun(run: Run): void {
    const isNews = this.run?.state !== run.state;
    this.run = run;
    if (isNews) this.publish();
    else this.publishSoon();
  }

  /** Follow the run again after it was resumed. */
  restart(): void {
    this.feed.restart();
  }

  close(): void {
    this.feed.close();
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private take(events: readonly Event[]): void {
    const { numStarts } = this.model;
    reduce(this.model, events);
    if (this.model.numStarts !== numStarts) this.clock.reset();
    this.clock.observe(this.model.lastS, performance.now() / 1000);
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
