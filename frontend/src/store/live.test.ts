import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { syntheticLog } from "../../dev/syntheticLog";
import type { Run } from "../api/types";
import type { Event } from "./events";
import { LiveFeed, type FeedStatus, type Socket } from "./live";
import { emptyModel } from "./model";
import { reduce } from "./reduce";

const LOG = syntheticLog({ policy: "predictive", factors: [1, 2], seconds: 8 });

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  isClosed = false;

  constructor(readonly path: string) {}

  get after(): number {
    return Number(new URL(this.path, "http://x").searchParams.get("after"));
  }

  close(): void {
    this.isClosed = true;
  }

  send(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  sendEvents(from: number, to: number): void {
    this.send({ type: "events", events: LOG.slice(from, to), last_seq: to });
  }

  fail(code = 1006): void {
    this.onclose?.({ code });
  }
}

function follow() {
  const sockets: FakeSocket[] = [];
  const statuses: FeedStatus[] = [];
  const taken: number[] = [];
  const model = emptyModel();
  const feed = new LiveFeed({
    runId: "r 1",
    cursor: () => model.lastSeq,
    onEvents: (events: readonly Event[]) => {
      taken.push(...events.map(({ seq }) => seq));
      reduce(model, events);
    },
    onRun: () => undefined,
    onStatus: (status) => statuses.push(status),
    connect: (path) => {
      const socket = new FakeSocket(path);
      sockets.push(socket);
      return socket;
    },
    random: () => 1,
  });
  feed.start();
  const newest = () => sockets[sockets.length - 1] as FakeSocket;
  return { feed, sockets, statuses, taken, model, newest };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("LiveFeed", () => {
  it("asks from its cursor and again after a loss, and takes each event once", () => {
    const { sockets, taken, newest, statuses } = follow();
    expect(newest().path).toBe("/api/v1/runs/r%201/live?after=0");
    newest().sendEvents(0, 10);
    newest().fail();
    expect(statuses.at(-1)).toEqual({ name: "reconnecting", attempt: 1, retryS: 0.25 });
    vi.advanceTimersByTime(250);
    expect(sockets.length).toBe(2);
    expect(newest().after).toBe(10);
    newest().sendEvents(5, 20); // an overlap
    expect(taken).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(statuses.at(-1)).toEqual({ name: "live" });
  });

  it("asks again from where a gap begins", () => {
    const { taken, newest, sockets } = follow();
    const gappy = sockets[0] as FakeSocket;
    gappy.send({ type: "events", events: [...LOG.slice(0, 3), ...LOG.slice(4, 6)], last_seq: 6 });
    expect(taken).toEqual([1, 2, 3]);
    expect(gappy.isClosed).toBe(true);
    vi.advanceTimersByTime(250);
    expect(newest().after).toBe(3);
  });

  it("loses and doubles nothing over random disconnects", () => {
    let seed = 42;
    const random = (below: number) => (seed = (seed * 16_807) % 2_147_483_647) % below;
    const { taken, newest } = follow();
    for (let turn = 0; turn < 2000 && taken.length < LOG.length; turn++) {
      const socket = newest();
      const from = Math.max(0, socket.after - random(4), taken.length - random(4));
      const hole = random(10) === 0 ? 1 : 0; // the server skips one now and then
      socket.sendEvents(Math.max(0, from) + hole * (taken.length + 1 - from), taken.length + 1 + random(12));
      if (random(3) === 0) socket.fail();
      vi.advanceTimersByTime(20_000);
    }
    expect(taken).toEqual(LOG.map(({ seq }) => seq));
  });

  it("waits longer each time, with a limit, and at once when the reader is back", () => {
    const { newest, sockets, statuses } = follow();
    const delays: number[] = [];
    for (let i = 0; i < 8; i++) {
      newest().fail();
      const status = statuses.at(-1);
      if (status?.name === "reconnecting") delays.push(status.retryS);
      vi.advanceTimersByTime(10_000);
    }
    expect(delays).toEqual([0.25, 0.5, 1, 2, 4, 8, 10, 10]);
    newest().fail();
    const before = sockets.length;
    window.dispatchEvent(new globalThis.Event("online"));
    expect(sockets.length).toBe(before + 1);
  });

  it("says how far it is behind", () => {
    const { newest, statuses } = follow();
    newest().send({ type: "state", run: { last_seq: 5000 } as Run });
    newest().sendEvents(0, 100);
    expect(statuses.at(-1)).toEqual({ name: "catching up", numBehind: 4900 });
  });

  it("ends with the run, and goes on when it was resumed", () => {
    const { feed, newest, sockets, statuses } = follow();
    newest().sendEvents(0, 10);
    newest().send({ type: "end" });
    newest().fail(1000);
    vi.advanceTimersByTime(60_000);
    expect([statuses.at(-1)?.name, sockets.length]).toEqual(["ended", 1]);
    feed.restart();
    expect([sockets.length, newest().after]).toEqual([2, 10]);
  });

  it.each([
    [4404, "unknown run"],
    [4401, "denied"],
  ])("does not try again after %i", (code, name) => {
    const { newest, sockets, statuses } = follow();
    newest().fail(code);
    vi.advanceTimersByTime(60_000);
    expect([statuses.at(-1)?.name, sockets.length]).toEqual([name, 1]);
  });

  it("is silent after it was closed", () => {
    const { feed, newest, statuses, taken } = follow();
    const socket = newest();
    feed.close();
    socket.sendEvents(0, 5);
    socket.fail();
    vi.advanceTimersByTime(60_000);
    expect([statuses.length, taken.length, socket.isClosed]).toEqual([0, 0, true]);
  });
});
