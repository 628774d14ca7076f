/** The stream of a run's events: what is stored, then what comes; nothing lost, nothing twice. */

import { isActive } from "../api/states";
import type { Run } from "../api/types";
import type { Event } from "./events";
import { LiveHub, liveHub, type Link, type RunFrame, type Socket } from "./hub";

export type { Socket } from "./hub";

/** How fresh the page is. */
export type FeedStatus =
  | { name: "connecting" }
  | { name: "catching up"; numBehind: number; behindS: number | null } // seconds of the run; null: not known
  | { name: "live" }
  | { name: "reconnecting" | "offline"; attempt: number; retryS: number; retryAtMs: number; lostAtMs: number } // of `performance.now()`
  | { name: "ended" }
  | { name: "unknown run" }
  | { name: "denied" };

export interface FeedOptions {
  runId: string;
  cursor: () => number; // seq of the last event that was taken in
  onEvents: (events: readonly Event[]) => void;
  onRun: (run: Run) => void;
  onStatus: (status: FeedStatus) => void;
  hub?: LiveHub; // the page's, if not given
  connect?: (path: string) => Socket; // makes a hub of its own
  random?: () => number;
}

const FEW = 500; // events behind that still count as live
const FEW_S = 1; // so do these seconds of the run
const OFFLINE_MS = 20_000; // a connection that is lost for longer is not just interrupted

/** Follow one run from `start` to `close`, also on after its end, when it is resumed. */
export class LiveFeed {
  private readonly hub: LiveHub;
  private leave: (() => void) | null = null;
  private lastSeq = 0; // newest event that the server is known to have
  private lastS: number | null = null; // and its time
  private atS: number | null = null; // time of the last event that was taken in
  private gapAt = 0; // seq that was missing last
  private isEnded = false;
  private status: FeedStatus = { name: "connecting" };

  constructor(private readonly options: FeedOptions) {
    const { hub, connect, random } = options;
    this.hub = hub ?? (connect ? new LiveHub({ connect, ...(random && { random }) }) : liveHub());
  }

  /** Follow the run from the cursor on. */
  start(): void {
    if (this.leave) return;
    this.isEnded = false;
    this.leave = this.hub.follow(this.options.runId, {
      cursor: this.options.cursor,
      onFrame: (frame) => this.receive(frame),
      onLink: (link) => this.tellLink(link),
    });
    this.tellLink(this.hub.current);
  }

  /** Stop following; nothing is called afterwards. */
  close(): void {
    this.leave?.();
    this.leave = null;
  }

  private receive(frame: RunFrame): void {
    switch (frame.type) {
      case "events":
        this.take(frame.events);
        return;
      case "state":
        this.lastSeq = Math.max(this.lastSeq, frame.run.last_seq);
        this.lastS = frame.run.summary.duration_s;
        if (isActive(frame.run.state)) this.isEnded = false; // it was resumed
        this.options.onRun(frame.run);
        if (!this.isEnded) this.tellFreshness();
        return;
      case "end":
        this.isEnded = true;
        this.say({ name: "ended" });
        return;
      case "gone":
        this.isEnded = true;
        this.say({ name: "unknown run" });
    }
  }

  private take(events: readonly Event[]): void {
    this.isEnded = false;
    let cursor = this.options.cursor();
    let from = 0;
    while (from < events.length && (events[from] as Event).seq <= cursor) from += 1;
    for (let i = from; i < events.length; i++) {
      cursor += 1;
      if ((events[i] as Event).seq === cursor) continue;
      if (i > from) this.options.onEvents(events.slice(from, i)); // a gap: what is whole counts, the rest is asked for again
      if (this.gapAt === cursor)
        this.hub.reconnect(); // asked for already: not again without a pause
      else this.hub.again(this.options.runId);
      this.gapAt = cursor;
      return;
    }
    if (from < events.length) {
      this.atS = (events[events.length - 1] as Event).at_s;
      this.options.onEvents(from === 0 ? events : events.slice(from));
    }
    this.lastSeq = Math.max(this.lastSeq, cursor);
    this.tellFreshness();
  }

  private tellFreshness(): void {
    const numBehind = this.lastSeq - this.options.cursor();
    const behindS = this.lastS === null || this.atS === null ? null : Math.max(0, this.lastS - this.atS);
    const isBehind = numBehind > FEW && (behindS === null || behindS > FEW_S);
    this.say(isBehind ? { name: "catching up", numBehind, behindS } : { name: "live" });
  }

  private tellLink(link: Link): void {
    if (this.isEnded) return;
    if (link.name === "denied") this.say({ name: "denied" });
    else if (link.name === "waiting") {
      const { attempt, retryAtMs, lostAtMs } = link;
      const retryS = (retryAtMs - performance.now()) / 1000;
      const isLong = performance.now() - lostAtMs > OFFLINE_MS;
      this.say({ name: isLong ? "offline" : "reconnecting", attempt, retryS, retryAtMs, lostAtMs });
    } else if (link.name === "connecting") this.say({ name: "connecting" });
  }

  private say(status: FeedStatus): void {
    const isSame = status.name === this.status.name && !CHANGING.includes(status.name);
    this.status = status;
    if (!isSame && this.leave) this.options.onStatus(status);
  }
}

const CHANGING: readonly FeedStatus["name"][] = ["catching up", "reconnecting", "offline"]; // also while the name stays
