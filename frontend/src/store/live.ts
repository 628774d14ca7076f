/** The stream of a run's events: what is stored, then what comes; nothing lost, nothing twice. */

import type { components } from "../api/generated";
import type { Run } from "../api/types";
import type { Event } from "./events";

type LiveFrame = components["schemas"]["LiveFrame"];

/** How fresh the page is. */
export type FeedStatus =
  | { name: "connecting" }
  | { name: "catching up"; numBehind: number }
  | { name: "live" }
  | { name: "reconnecting"; attempt: number; retryS: number }
  | { name: "ended" }
  | { name: "unknown run" }
  | { name: "denied" };

/** The part of a WebSocket that is needed; a test hands in its own. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((message: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  close: () => void;
}

export interface FeedOptions {
  runId: string;
  cursor: () => number; // seq of the last event that was taken in
  onEvents: (events: readonly Event[]) => void;
  onRun: (run: Run) => void;
  onStatus: (status: FeedStatus) => void;
  connect?: (path: string) => Socket;
  random?: () => number;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;
const FEW = 500; // events behind that still count as live
const CLOSED_DENIED = 4401;
const CLOSED_UNKNOWN = 4404;

/** Follow one run from `start` to `close`. */
export class LiveFeed {
  private socket: Socket | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private attempt = 0;
  private lastSeq = 0; // newest event that the server is known to have
  private isEnded = false;
  private isClosed = true;
  private status: FeedStatus = { name: "connecting" };

  constructor(private readonly options: FeedOptions) {}

  /** Open the stream at the cursor. */
  start(): void {
    if (!this.isClosed) return;
    this.isClosed = false;
    this.isEnded = false;
    this.attempt = 0;
    window.addEventListener("online", this.hurry);
    document.addEventListener("visibilitychange", this.hurry);
    this.open();
  }

  /** Stop following; nothing is called afterwards. */
  close(): void {
    this.isClosed = true;
    window.removeEventListener("online", this.hurry);
    document.removeEventListener("visibilitychange", this.hurry);
    this.drop();
  }

  /** Follow again after the end, when the run was resumed. */
  restart(): void {
    if (this.isClosed || (this.socket && !this.isEnded)) return;
    this.isEnded = false;
    this.attempt = 0;
    this.drop();
    this.open();
  }

  private open(): void {
    const { connect = openSocket, runId, cursor } = this.options;
    this.timer = null;
    const socket = connect(`/api/v1/runs/${encodeURIComponent(runId)}/live?after=${cursor()}`);
    this.socket = socket;
    if (this.attempt === 0) this.say({ name: "connecting" });
    socket.onmessage = ({ data }) => this.receive(JSON.parse(String(data)) as LiveFrame);
    socket.onclose = ({ code }) => this.closed(code);
  }

  private receive(frame: LiveFrame): void {
    switch (frame.type) {
      case "events":
        this.take(frame.events);
        return;
      case "state":
        this.lastSeq = Math.max(this.lastSeq, frame.run.last_seq);
        this.options.onRun(frame.run);
        this.tellFreshness();
        return;
      case "end":
        this.isEnded = true;
        this.drop();
        this.say({ name: "ended" });
    }
  }

  private take(events: readonly Event[]): void {
    let cursor = this.options.cursor();
    let from = 0;
    while (from < events.length && (events[from] as Event).seq <= cursor) from += 1;
    for (let i = from; i < events.length; i++) {
      cursor += 1;
      if ((events[i] as Event).seq === cursor) continue;
      this.options.onEvents(events.slice(from, i)); // a gap: what is whole counts, the rest is asked for again
      this.retry();
      return;
    }
    this.attempt = 0;
    if (from < events.length) this.options.onEvents(from === 0 ? events : events.slice(from));
    this.lastSeq = Math.max(this.lastSeq, cursor);
    this.tellFreshness();
  }

  private tellFreshness(): void {
    const numBehind = this.lastSeq - this.options.cursor();
    this.say(numBehind > FEW ? { name: "catching up", numBehind } : { name: "live" });
  }

  private closed(code: number): void {
    this.socket = null;
    if (this.isClosed || this.isEnded) return;
    if (code === CLOSED_UNKNOWN) this.say({ name: "unknown run" });
    else if (code === CLOSED_DENIED) this.say({ name: "denied" });
    else this.retry();
  }

  private retry(): void {
    const { random = Math.random } = this.options;
    this.drop();
    const ceilingMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.attempt);
    const delayMs = ceilingMs * (0.5 + random() / 2); // jitter: many pages must not come back at one instant
    this.attempt += 1;
    this.timer = setTimeout(() => this.open(), delayMs);
    this.say({ name: "reconnecting", attempt: this.attempt, retryS: delayMs / 1000 });
  }

  /** Do not sit out a long pause once the network or the reader is back. */
  private readonly hurry = (): void => {
    if (this.timer === null || document.hidden) return;
    clearTimeout(this.timer);
    this.open();
  };

  private drop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (!this.socket) return;
    this.socket.onmessage = null;
    this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }

  private say(status: FeedStatus): void {
    const isSame = status.name === this.status.name && status.name !== "catching up" && status.name !== "reconnecting";
    this.status = status;
    if (!isSame && !this.isClosed) this.options.onStatus(status);
  }
}

function openSocket(path: string): Socket {
  const scheme = window.location.protocol === "https:" ? "wss" : "ws";
  return new WebSocket(`${scheme}://${window.location.host}${path}`) as Socket;
}
