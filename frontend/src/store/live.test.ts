import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { syntheticLog } from "../../dev/syntheticLog";
import type { Run } from "../api/types";
import type { Event } from "./events";
import { LiveHub } from "./hub";
import { FakeServer, type FakeSocket } from "./hub.fake";
import { LiveFeed, type FeedStatus } from "./live";
import { emptyModel } from "./model";
import { reduce } from "./reduce";

const LOG = syntheticLog({ policy: "predictive", factors: [1, 2], seconds: 8 });

const RUN_ID = "r 1";

function follow() {
  const server = new FakeServer();
  const statuses: FeedStatus[] = [];
  const taken: number[] = [];
  const runs: Run[] = [];
  const model = emptyModel();
  const hub = new LiveHub({
    connect: server.connect,
    random: () => 1,
    onLoss: () => undefined,
    onOpen: () => undefined,
  });
  const feed = new LiveFeed({
    runId: RUN_ID,
    cursor: () => model.lastSeq,
    onEvents: (events: readonly Event[]) => {
      taken.push(...events.map(({ seq }) => seq));
      reduce(model, events);
    },
    onRun: (run) => runs.push(run),
    onStatus: (status) => statuses.push(status),
    hub,
  });
  feed.start();
  const newest = () => server.newest;
  return { hub, feed, server, statuses, taken, runs, model, newest };
}

/** Open the newest socket and answer its subscriptions. */
function accept({ newest }: { newest: () => FakeSocket }): void {
  newest().open();
  newest().answer();
}

function sendEvents(socket: FakeSocket, from: number, to: number): void {
  const events = LOG.slice(from, to) as never[];
  socket.tell({ type: "events", run_id: RUN_ID, events, last_seq: to });
}

function sendState(socket: FakeSocket, lastSeq: number, durationS: number, state: Run["state"] = "running"): void {
  const run = { state, last_seq: lastSeq, summary: { duration_s: durationS } } as Run;
  socket.tell({ type: "state", run_id: RUN_ID, run });
}

const after = (socket: FakeSocket) => socket.said.findLast(({ type }) => type === "subscribe")?.after;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("LiveFeed", () => {
  it("asks from its cursor and again after a loss, and takes each event once", () => {
    const page = follow();
    const { server, taken, newest, statuses } = page;
    accept(page);
    expect(after(newest())).toBe(0);
    sendEvents(newest(), 0, 10);
    newest().fail(1006);
    expect(statuses.at(-1)).toMatchObject({ name: "reconnecting", attempt: 1, retryS: 0.25 });
    vi.advanceTimersByTime(250);
    expect(server.sockets.length).toBe(2);
    accept(page);
    expect(after(newest())).toBe(10);
    sendEvents(newest(), 5, 20); // an overlap
    expect(taken).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(statuses.at(-1)).toEqual({ name: "live" });
  });

  it("asks again from where a gap begins, over the same socket", () => {
    const page = follow();
    const { taken, newest, server } = page;
    accept(page);
    const gappy = [...LOG.slice(0, 3), ...LOG.slice(4, 6)] as never[];
    newest().tell({ type: "events", run_id: RUN_ID, events: gappy, last_seq: 6 });
    expect(taken).toEqual([1, 2, 3]);
    expect([server.sockets.length, after(newest())]).toEqual([1, 3]);
    sendEvents(newest(), 6, 9); // was on its way
    newest().answer();
    sendEvents(newest(), 3, 9);
    expect(taken).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("loses and doubles nothing over random disconnects", () => {
    let seed = 42;
    const random = (below: number) => (seed = (seed * 16_807) % 2_147_483_647) % below;
    const page = follow();
    const { taken, newest, server } = page;
    accept(page);
    for (let turn = 0; turn < 4000 && taken.length < LOG.length; turn++) {
      const socket = newest();
      const { length } = server.sockets;
      const from = Math.max(0, Math.min(after(socket) ?? 0, taken.length) - random(4));
      const hole = random(10) === 0 ? 1 : 0; // the server skips one now and then
      sendEvents(socket, from + hole * (taken.length + 1 - from), taken.length + 1 + random(12));
      if (random(3) === 0) socket.fail(1006);
      vi.advanceTimersByTime(14_000);
      if (server.sockets.length > length) newest().open();
      newest().answer();
    }
    expect(taken).toEqual(LOG.map(({ seq }) => seq));
    expect(server.sockets.length).toBeGreaterThan(20);
  });

  it("says how far it is behind, in events and in seconds of the run", () => {
    const page = follow();
    const { newest, statuses } = page;
    accept(page);
    sendState(newest(), 5000, 60);
    expect(statuses.at(-1)).toEqual({ name: "catching up", numBehind: 5000, behindS: null });
    sendEvents(newest(), 0, 100);
    const atS = LOG[99]?.at_s ?? NaN;
    expect(statuses.at(-1)).toEqual({ name: "catching up", numBehind: 4900, behindS: 60 - atS });
  });

  it("calls a page live whose events are many but young", () => {
    const page = follow();
    accept(page);
    sendEvents(page.newest(), 0, 100);
    sendState(page.newest(), 1100, (LOG[99]?.at_s ?? NaN) + 0.1);
    expect(page.statuses.at(-1)).toEqual({ name: "live" });
  });

  it("says that it is offline once the connection has been lost for long", () => {
    const page = follow();
    const { newest, statuses } = page;
    const names = new Set<string>();
    for (let i = 0; i < 10; i++) {
      newest().fail(1006);
      names.add(statuses.at(-1)?.name ?? "");
      vi.advanceTimersByTime(10_000);
    }
    expect([...names]).toEqual(["reconnecting", "offline"]);
    accept(page);
    sendState(newest(), 0, 0);
    expect(statuses.at(-1)).toEqual({ name: "live" });
  });

  it("ends with the run, and goes on when it was resumed", () => {
    const page = follow();
    const { hub, newest, server, statuses } = page;
    accept(page);
    sendEvents(newest(), 0, 10);
    newest().tell({ type: "end", run_id: RUN_ID });
    vi.advanceTimersByTime(10_000);
    expect([statuses.at(-1)?.name, server.sockets.length]).toEqual(["ended", 1]);
    newest().fail(1006); // of no concern any more
    expect(statuses.at(-1)?.name).toBe("ended");
    vi.advanceTimersByTime(10_000);
    accept(page);
    expect(newest().said).toEqual([]);
    hub.again(RUN_ID);
    expect(after(newest())).toBe(10);
    newest().answer();
    sendState(newest(), 10, 1, "completed"); // nothing new
    expect(statuses.at(-1)?.name).toBe("ended");
    sendState(newest(), 10, 1, "running");
    expect(statuses.at(-1)?.name).toBe("live");
  });

  it("says that there is no such run, and that the token is missing", () => {
    const unknown = follow();
    accept(unknown);
    unknown.newest().tell({ type: "gone", run_id: RUN_ID });
    expect(unknown.statuses.at(-1)?.name).toBe("unknown run");
    const denied = follow();
    denied.newest().fail(4401);
    expect(denied.statuses.at(-1)?.name).toBe("denied");
  });

  it("is silent after it was closed", () => {
    const page = follow();
    const { feed, newest, statuses, taken } = page;
    accept(page);
    feed.close();
    const { length } = statuses;
    sendEvents(newest(), 0, 5);
    newest().fail(1006);
    vi.advanceTimersByTime(60_000);
    expect([statuses.length, taken.length, newest().isClosed]).toEqual([length, 0, true]);
  });
});
