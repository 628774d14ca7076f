import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ChangedRun, Link, RunFrame } from "./hub";
import { LiveHub } from "./hub";
import { FakeServer } from "./hub.fake";

interface Heard {
  frames: RunFrame[];
  links: Link["name"][];
  cursor: number;
  leave: () => void;
}

function page() {
  const server = new FakeServer();
  const losses = vi.fn();
  const hub = new LiveHub({ connect: server.connect, random: () => 1, onLoss: losses, onOpen: () => undefined });
  const follow = (runId: string, cursor = 0): Heard => {
    const heard: Heard = { frames: [], links: [], cursor, leave: () => undefined };
    heard.leave = hub.follow(runId, {
      cursor: () => heard.cursor,
      onFrame: (frame) => {
        heard.frames.push(frame);
        if (frame.type === "events") heard.cursor = Math.max(heard.cursor, frame.last_seq);
      },
      onLink: ({ name }) => heard.links.push(name),
    });
    return heard;
  };
  return { server, hub, follow, losses };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the one socket of a page", () => {
  it("is opened with the first follower and shared by all", () => {
    const { server, follow } = page();
    expect(server.sockets.length).toBe(0);
    const a = follow("a", 7);
    const b = follow("b");
    server.newest.open();
    const c = follow("c");
    expect(server.sockets.map(({ path }) => path)).toEqual(["/api/v1/live"]);
    expect(server.newest.said.map(({ type, run_id, after }) => [type, run_id, after])).toEqual([
      ["subscribe", "a", 7],
      ["subscribe", "b", 0],
      ["subscribe", "c", 0],
    ]);
    server.newest.answer();
    server.newest.sendEvents("b", 1, 3);
    expect([a, b, c].map(({ frames }) => frames.length)).toEqual([0, 1, 0]);
  });

  it("is closed a moment after the last follower has left, and opened anew", () => {
    const { server, hub, follow } = page();
    const a = follow("a");
    server.newest.open();
    a.leave();
    expect(server.newest.said.at(-1)).toEqual({ type: "unsubscribe", run_id: "a" });
    vi.advanceTimersByTime(1000);
    const b = follow("b"); // from one page to the next
    vi.advanceTimersByTime(60_000);
    server.newest.tell({ type: "beat" });
    b.leave();
    const { length } = server.sockets;
    vi.advanceTimersByTime(5000);
    expect([server.newest.isClosed, hub.current.name]).toEqual([true, "closed"]);
    vi.advanceTimersByTime(600_000);
    expect(server.sockets.length).toBe(length);
    follow("c");
    expect(server.sockets.length).toBe(length + 1);
  });

  it("goes on from every cursor after a loss", () => {
    const { server, follow, losses } = page();
    const a = follow("a");
    follow("b", 40);
    server.newest.open();
    server.newest.answer();
    server.newest.sendEvents("a", 1, 10);
    server.newest.fail(1006);
    expect(a.links.at(-1)).toBe("waiting");
    expect(losses).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(250);
    server.newest.open();
    expect(server.newest.said.map(({ run_id, after }) => [run_id, after])).toEqual([
      ["a", 10],
      ["b", 40],
    ]);
  });

  it("waits longer after every failure, and not at all when the network is back", () => {
    const { server, hub, follow } = page();
    follow("a");
    const delays: number[] = [];
    for (let i = 0; i < 8; i++) {
      server.newest.fail(1006);
      if (hub.current.name === "waiting") delays.push(hub.current.retryAtMs - performance.now());
      vi.advanceTimersByTime(10_000);
    }
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    server.newest.fail(1006);
    const before = server.sockets.length;
    window.dispatchEvent(new Event("online"));
    expect(server.sockets.length).toBe(before + 1);
  });

  it("waits longer also where the server takes every connection and closes it again", () => {
    const { server, hub, follow } = page();
    follow("a");
    const attempts: number[] = [];
    for (let i = 0; i < 4; i++) {
      server.newest.open();
      server.newest.answer();
      server.newest.fail(4400);
      if (hub.current.name === "waiting") attempts.push(hub.current.attempt);
      vi.advanceTimersByTime(10_000);
    }
    expect(attempts).toEqual([1, 2, 3, 4]);
  });

  it("does not try again without a token", () => {
    const { server, follow } = page();
    const a = follow("a");
    server.newest.fail(4401);
    vi.advanceTimersByTime(60_000);
    expect([a.links.at(-1), server.sockets.length]).toEqual(["denied", 1]);
  });

  it("takes a server that is silent for 15 s for dead", () => {
    const { server, follow } = page();
    const a = follow("a");
    server.newest.open();
    server.newest.answer();
    for (let i = 0; i < 10; i++) {
      vi.advanceTimersByTime(5000);
      server.newest.tell({ type: "beat" });
    }
    expect(server.sockets.length).toBe(1);
    vi.advanceTimersByTime(16_500);
    expect([server.sockets[0]?.isClosed, server.sockets.length]).toEqual([true, 2]);
    expect(a.links).toContain("waiting");
  });

  it("notices at once, when a computer wakes, that the connection has died in its sleep", () => {
    const { server, follow } = page();
    follow("a");
    server.newest.open();
    server.newest.answer();
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.spyOn(performance, "now").mockReturnValue(performance.now() + 3_600_000); // no timer has run meanwhile
    document.dispatchEvent(new Event("visibilitychange"));
    expect([server.sockets[0]?.isClosed, server.sockets.length]).toEqual([true, 2]);
    vi.restoreAllMocks();
  });
});

describe("subscriptions", () => {
  it("pass over what belongs to an earlier subscription of the same run", () => {
    const { server, follow } = page();
    const first = follow("a");
    server.newest.open();
    server.newest.answer();
    server.newest.sendEvents("a", 1, 500);
    first.leave();
    const second = follow("a"); // another page, which knows nothing of the run yet
    server.newest.sendEvents("a", 501, 600); // was on its way
    expect(second.frames).toEqual([]);
    server.newest.answer();
    server.newest.sendEvents("a", 1, 600);
    expect(second.cursor).toBe(600);
  });

  it("serve two followers of one run from the earlier cursor", () => {
    const { server, follow } = page();
    const first = follow("a");
    server.newest.open();
    server.newest.answer();
    server.newest.sendEvents("a", 1, 50);
    const second = follow("a", 20);
    expect(server.newest.said.at(-1)).toMatchObject({ type: "subscribe", run_id: "a", after: 20 });
    server.newest.answer();
    server.newest.sendEvents("a", 21, 60);
    expect([first.cursor, second.cursor]).toEqual([60, 60]);
    first.leave();
    expect(server.newest.said.at(-1)?.type).toBe("subscribe"); // one is left
  });

  it("are over with the run, and begin again when it goes on", () => {
    const { server, hub, follow } = page();
    const a = follow("a");
    follow("b");
    server.newest.open();
    server.newest.answer();
    server.newest.tell({ type: "end", run_id: "a" });
    server.newest.tell({ type: "gone", run_id: "b" });
    server.newest.fail(1012);
    vi.advanceTimersByTime(250);
    server.newest.open();
    expect(server.newest.said).toEqual([]);
    hub.again("a");
    expect(server.newest.said.map(({ run_id }) => run_id)).toEqual(["a"]);
    expect(a.frames.map(({ type }) => type)).toEqual(["end"]);
  });

  it("tries again after a denial once the reader comes back or goes on", () => {
    const { server, follow } = page();
    follow("a");
    const deny = () => {
      server.newest.open();
      server.newest.fail(4401);
    };
    deny();
    vi.advanceTimersByTime(600_000);
    expect(server.sockets.length).toBe(1);
    document.dispatchEvent(new Event("visibilitychange"));
    window.dispatchEvent(new Event("online")); // already on its way
    expect(server.sockets.length).toBe(2);
    deny();
    const b = follow("b");
    expect(server.sockets.length).toBe(3);
    server.newest.open();
    server.newest.answer();
    server.newest.sendEvents("b", 1, 2);
    expect([b.cursor, b.links.at(-1)]).toEqual([2, "open"]);
  });

  it("of more runs than the server allows wait until there is room", () => {
    const { server, follow } = page();
    const all = Array.from({ length: 103 }, (_, i) => follow(`run ${i}`));
    server.newest.open();
    expect(server.newest.said.length).toBe(100);
    all[5]?.leave();
    expect(server.newest.said.slice(-2).map(({ type, run_id }) => [type, run_id])).toEqual([
      ["unsubscribe", "run 5"],
      ["subscribe", "run 100"],
    ]);
  });
});

describe("the list of runs", () => {
  function watch() {
    const joined = page();
    const told: [readonly ChangedRun[] | null, boolean][] = [];
    const leave = joined.hub.watchList((changed, isUrgent) => told.push([changed, isUrgent]));
    joined.server.newest.open();
    joined.server.newest.answer();
    const notice = (...runs: ChangedRun[]) => joined.server.newest.tell({ type: "runs", runs, is_complete: true });
    return { ...joined, told, leave, notice };
  }

  it("tells states, names and tags from figures", () => {
    const { told, notice } = watch();
    const run: ChangedRun = { id: "a", state: "running", name: "first", tags: [] };
    notice(run);
    notice(run);
    notice({ ...run, state: "completed" });
    notice({ ...run, state: "completed", name: "renamed" });
    notice({ ...run, state: "completed", name: "renamed", tags: ["good"] });
    notice({ ...run, state: "completed", name: "renamed", tags: ["good"] });
    notice({ id: "a", state: null, name: null, tags: null });
    expect(told.map(([, isUrgent]) => isUrgent)).toEqual([true, false, true, true, true, false, true]);
  });

  it("says after a loss that anything may have changed, but not at the first time", () => {
    const { server, hub, told } = watch();
    expect([told.length, hub.tellsList]).toEqual([0, true]);
    server.newest.fail(1006);
    expect(hub.tellsList).toBe(false);
    vi.advanceTimersByTime(250);
    server.newest.open();
    server.newest.answer();
    expect(told).toEqual([[null, true]]);
    server.newest.tell({ type: "runs", runs: [], is_complete: false });
    expect(told.length).toBe(2);
  });

  it("brings back a run that had ended here and was resumed anywhere", () => {
    const { server, hub, follow, notice } = watch();
    const a = follow("a", 5);
    const asked = () => server.newest.said.filter(({ run_id }) => run_id === "a").map(({ after }) => after);
    server.newest.answer();
    server.newest.tell({ type: "end", run_id: "a" });
    notice({ id: "a", state: "completed", name: "first", tags: [] }, { id: "b", state: "running", name: "b", tags: [] });
    expect(asked()).toEqual([5]);
    notice({ id: "a", state: "queued", name: "first", tags: [] });
    expect(asked()).toEqual([5, 5]);
    notice({ id: "a", state: "running", name: "first", tags: [] }); // it is followed by now
    server.newest.answer();
    server.newest.sendEvents("a", 6, 7);
    expect([asked(), a.cursor]).toEqual([[5, 5], 7]);
    server.newest.tell({ type: "end", run_id: "a" });
    hub.reconnect(); // what has changed meanwhile is not told
    vi.advanceTimersByTime(250);
    server.newest.open();
    server.newest.answer();
    expect(asked()).toEqual([7]);
  });

  it("is asked for once by all who watch, and given up by the last", () => {
    const { server, hub, leave } = watch();
    const other = hub.watchList(() => undefined);
    leave();
    expect(server.newest.said.length).toBe(1);
    other();
    expect(server.newest.said.at(-1)).toEqual({ type: "unsubscribe", topic: "runs" });
  });
});
