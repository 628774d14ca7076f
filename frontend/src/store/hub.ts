/**
 * One WebSocket for all that a page follows: any number of runs, and the list of runs.
 *
 * It is opened when something is to be followed and closed a moment after the last follower has left. When it
 * breaks, or is silent for longer than a living server ever is (a computer that slept, a cable that was pulled),
 * it is opened again, and every run goes on from its follower's cursor.
 */

import type { components } from "../api/generated";
import { isActive } from "../api/states";
import { onReconnect, reportAnswer, reportLoss } from "../app/connection";

export type LiveFrame = components["schemas"]["LiveFrame"];
export type LiveMessage = components["schemas"]["LiveMessage"];
export type RunFrame = Extract<LiveFrame, { type: "events" | "state" | "end" | "gone" }>;
export type ChangedRun = components["schemas"]["ChangedRun"];

/** The part of a WebSocket that is needed; a test hands in its own. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((message: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send: (text: string) => void;
  close: () => void;
}

/** How the page is joined to the server. */
export type Link =
  | { name: "closed" }
  | { name: "connecting" }
  | { name: "open" }
  | { name: "waiting"; attempt: number; retryAtMs: number; lostAtMs: number } // times of `performance.now()`
  | { name: "denied" };

/** Who follows a run. */
export interface Follower {
  cursor: () => number; // seq of the last event that was taken in
  onFrame: (frame: RunFrame) => void;
  onLink: (link: Link) => void;
}

/** What has changed in the list of runs; null: anything may have. `isUrgent`: a state, not only figures. */
export type ListListener = (changed: readonly ChangedRun[] | null, isUrgent: boolean) => void;

export interface HubOptions {
  connect?: (path: string) => Socket;
  random?: () => number;
  onOpen?: () => void; // the server has answered
  onLoss?: () => void; // it cannot be reached
}

const PATH = "/api/v1/live";
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;
const SILENCE_MS = 15_000; // the server says something every 5 s
const LOOK_MS = 1000;
const LINGER_MS = 3000; // from one page to the next the socket stays
const DENIED = 4401;
const LOSSES = [1001, 1006, 1012]; // codes of a connection that is lost; others are said by a server that lives
const MAX_RUNS = 100; // that the server lets one connection follow
const MAX_STATES = 10_000; // of runs, that are remembered

interface Followed {
  followers: Set<Follower>;
  ticket: number; // of the newest subscription; 0: none, since it ended or there is no room
  isWaiting: boolean; // until there is room
  isOver: boolean; // it has ended, or is gone
  isTold: boolean; // the server has answered that subscription: what comes now belongs to it
}

export class LiveHub {
  private socket: Socket | null = null;
  private isOpen = false;
  private retryTimer: ReturnType<typeof setTimeout> | null = null;
  private lingerTimer: ReturnType<typeof setTimeout> | null = null;
  private lookTimer: ReturnType<typeof setInterval> | null = null;
  private heardAtMs = 0;
  private lostAtMs: number | null = null;
  private attempt = 0;
  private lastTicket = 0;
  private link: Link = { name: "closed" };
  private readonly runs = new Map<string, Followed>();
  private readonly lists = new Set<ListListener>();
  private readonly states = new Map<string, string | null>(); // of the runs that notices have named
  private isListTold = false;
  private wasListTold = false; // at any time
  private forgetReconnect: (() => void) | null = null;

  constructor(private readonly options: HubOptions = {}) {}

  /** How the page is joined to the server at this moment. */
  get current(): Link {
    return this.link;
  }

  /** Whether changes of the list of runs are told, so that nobody needs to ask for them. */
  get tellsList(): boolean {
    return this.isListTold;
  }

  /** Follow a run from the follower's cursor on; gives what ends it. */
  follow(runId: string, follower: Follower): () => void {
    const run = this.runs.get(runId) ?? {
      followers: new Set(),
      ticket: 0,
      isWaiting: false,
      isOver: false,
      isTold: false,
    };
    this.runs.set(runId, run);
    run.followers.add(follower);
    run.isOver = false;
    this.wake();
    if (this.isOpen) this.subscribe(runId, run);
    return () => {
      if (!run.followers.delete(follower) || run.followers.size > 0 || this.runs.get(runId) !== run) return;
      this.runs.delete(runId);
      if (this.isOpen && run.ticket > 0) this.say({ type: "unsubscribe", run_id: runId });
      this.subscribeWaiting();
      this.restSoon();
    };
  }

  /** Ask for a run again from its follower's cursor, since something was missing. */
  again(runId: string): void {
    const run = this.runs.get(runId);
    if (!run) return;
    run.isOver = false;
    if (this.isOpen) this.subscribe(runId, run);
  }

  /** Be told when runs have changed; gives what ends it. */
  watchList(listener: ListListener): () => void {
    this.lists.add(listener);
    this.wake();
    if (this.isOpen && this.lists.size === 1) this.say({ type: "subscribe", topic: "runs" });
    return () => {
      if (!this.lists.delete(listener) || this.lists.size > 0) return;
      this.isListTold = false;
      if (this.isOpen) this.say({ type: "unsubscribe", topic: "runs" });
      this.restSoon();
    };
  }

  /** Break the connection and open it again; everything goes on from the cursors. */
  reconnect(): void {
    if (this.socket || this.retryTimer) this.retry();
  }

  // ---- the socket ------------------------------------------------------------------------------------------

  private wake(): void {
    if (this.lingerTimer !== null) clearTimeout(this.lingerTimer);
    this.lingerTimer = null;
    if (this.link.name === "denied") this.hurry(); // there may be access by now
    if (this.link.name !== "closed") return;
    window.addEventListener("online", this.hurry);
    document.addEventListener("visibilitychange", this.hurry);
    this.forgetReconnect = onReconnect(this.hurry);
    this.lookTimer = setInterval(this.look, LOOK_MS);
    this.open();
  }

  private restSoon(): void {
    if (this.runs.size > 0 || this.lists.size > 0) return;
    this.lingerTimer ??= setTimeout(() => this.rest(), LINGER_MS);
  }

  private rest(): void {
    this.lingerTimer = null;
    window.removeEventListener("online", this.hurry);
    document.removeEventListener("visibilitychange", this.hurry);
    this.forgetReconnect?.();
    if (this.lookTimer !== null) clearInterval(this.lookTimer);
    this.attempt = 0;
    this.lostAtMs = null;
    this.drop();
    this.become({ name: "closed" });
  }

  private open(): void {
    const { connect = openSocket } = this.options;
    this.retryTimer = null;
    this.heardAtMs = performance.now();
    const socket = connect(PATH);
    this.socket = socket;
    socket.onopen = () => this.opened();
    socket.onmessage = ({ data }) => this.receive(JSON.parse(String(data)) as LiveFrame);
    socket.onclose = ({ code }) => this.closed(code);
    if (this.attempt === 0) this.become({ name: "connecting" });
  }

  private opened(): void {
    this.isOpen = true;
    this.heardAtMs = performance.now();
    if (this.lists.size > 0) this.say({ type: "subscribe", topic: "runs" });
    for (const [runId, run] of this.runs) if (!run.isOver) this.subscribe(runId, run);
    // The link is called open once the server has said something: an open socket may be one that is refused.
  }

  private closed(code: number): void {
    this.drop();
    if (code === DENIED) {
      this.become({ name: "denied" });
      return;
    }
    if (LOSSES.includes(code)) (this.options.onLoss ?? reportLoss)();
    this.retry();
  }

  private retry(): void {
    const { random = Math.random } = this.options;
    this.drop();
    const ceilingMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.attempt);
    const delayMs = ceilingMs * (0.5 + random() / 2); // jitter: many pages must not come back at one instant
    this.attempt += 1;
    this.lostAtMs ??= performance.now();
    this.retryTimer = setTimeout(() => this.open(), delayMs);
    this.become({
      name: "waiting",
      attempt: this.attempt,
      retryAtMs: performance.now() + delayMs,
      lostAtMs: this.lostAtMs,
    });
  }

  /** Neither sit out a long pause nor take no for an answer once the network, the server or the reader is back. */
  private readonly hurry = (): void => {
    if (document.hidden) return;
    this.look();
    const isDenied = this.link.name === "denied" && !this.socket; // the link with the token may have been opened elsewhere
    if (this.retryTimer === null && !isDenied) return;
    if (this.retryTimer !== null) clearTimeout(this.retryTimer);
    this.open();
  };

  /** Notice a connection that is dead without having said so. */
  private readonly look = (): void => {
    if (this.socket && performance.now() - this.heardAtMs > SILENCE_MS) this.retry();
    else if (this.link.name === "waiting") this.become(this.link); // said again, since it lasts
  };

  private drop(): void {
    if (this.retryTimer !== null) clearTimeout(this.retryTimer);
    this.retryTimer = null;
    this.isOpen = false;
    this.isListTold = false;
    for (const run of this.runs.values()) run.isTold = false;
    if (!this.socket) return;
    this.socket.onopen = null;
    this.socket.onmessage = null;
    this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }

  private become(link: Link): void {
    this.link = link;
    for (const { followers } of this.runs.values()) for (const follower of [...followers]) follower.onLink(link);
  }

  // ---- what is said and heard ------------------------------------------------------------------------------

  private say(message: LiveMessage): void {
    this.socket?.send(JSON.stringify(message));
  }

  private subscribe(runId: string, run: Followed): void {
    const others = [...this.runs].filter(([id, other]) => id !== runId && other.ticket > 0).length;
    run.isWaiting = others >= MAX_RUNS;
    run.ticket = run.isWaiting ? 0 : (this.lastTicket += 1);
    run.isTold = run.isOver = false;
    if (run.isWaiting) return;
    const after = Math.min(...[...run.followers].map(({ cursor }) => cursor()));
    this.say({ type: "subscribe", run_id: runId, after, ticket: run.ticket });
  }

  private subscribeWaiting(): void {
    if (!this.isOpen) return;
    for (const [runId, run] of this.runs) if (run.isWaiting) this.subscribe(runId, run);
  }

  private receive(frame: LiveFrame): void {
    this.heardAtMs = performance.now();
    if (this.link.name !== "open") {
      this.lostAtMs = null;
      (this.options.onOpen ?? reportOpen)();
      this.become({ name: "open" });
    }
    if (frame.type === "subscribed") this.takeTicket(frame);
    else {
      this.attempt = 0; // more than a first answer: this connection works
      if (frame.type === "runs") this.tellList(frame.is_complete ? frame.runs : null);
      else if (frame.type !== "beat") this.hand(frame);
    }
  }

  private takeTicket(frame: Extract<LiveFrame, { type: "subscribed" }>): void {
    if (frame.topic === "runs") {
      this.isListTold = this.lists.size > 0;
      if (this.wasListTold) this.tellList(null); // whatever has changed in the meantime was not told
      this.wasListTold = true;
      return;
    }
    const run = this.runs.get(frame.run_id ?? "");
    if (run && run.ticket === frame.ticket) run.isTold = true;
  }

  private hand(frame: RunFrame): void {
    const run = this.runs.get(frame.run_id);
    if (!run?.isTold) return; // of an earlier subscription
    if (frame.type === "end" || frame.type === "gone") {
      run.ticket = 0;
      run.isOver = true;
    }
    for (const follower of [...run.followers]) if (run.followers.has(follower)) follower.onFrame(frame);
  }

  private tellList(changed: readonly ChangedRun[] | null): void {
    if (this.states.size > MAX_STATES) this.states.clear();
    const isUrgent = changed?.some((run) => this.states.get(run.id) !== labelOf(run)) ?? true;
    for (const run of changed ?? []) {
      if (run.state === null) this.states.delete(run.id);
      else this.states.set(run.id, labelOf(run));
    }
    this.goOn(changed);
    for (const listener of [...this.lists]) listener(changed, isUrgent);
  }

  /** Follow again what had ended and was resumed, by whomever. */
  private goOn(changed: readonly ChangedRun[] | null): void {
    for (const [runId, run] of this.runs) {
      const state = changed?.find(({ id }) => id === runId)?.state;
      if (run.isOver && (changed === null || (state && isActive(state)))) this.again(runId);
    }
  }
}

/** What a person sees of a run besides its figures: when it changes, the lists are to say so at once. */
function labelOf({ state, name, tags }: ChangedRun): string {
  return JSON.stringify([state, name, tags]);
}

let pageHub: LiveHub | undefined;

/** The one hub of this page. */
export function liveHub(): LiveHub {
  return (pageHub ??= new LiveHub());
}

function reportOpen(): void {
  reportAnswer(0);
}

function openSocket(path: string): Socket {
  const scheme = window.location.protocol === "https:" ? "wss" : "ws";
  return new WebSocket(`${scheme}://${window.location.host}${path}`) as Socket;
}
