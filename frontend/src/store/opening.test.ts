import { afterEach, expect, it, vi } from "vitest";
import { syntheticLog } from "../../dev/syntheticLog";
import type { Run, TimelineState } from "../api/types";
import { FakeServer } from "./hub.fake";
import { RunStore } from "./runStore";
import { BINS } from "./tiles";

const NUM_COUNTED = 30_000; // events that the server's summary holds
const log = syntheticLog({ policy: "ssp", factors: [1, 1, 3], seconds: 20, isEnded: false });
const offset = NUM_COUNTED - Math.floor(log.length / 2); // the page opens a little before the end of what is counted
const events = log.map((event, i) => ({ ...event, seq: offset + i + 1 }));
const state: TimelineState = { last_seq: NUM_COUNTED, newest_seq: NUM_COUNTED, is_complete: true, to_s: 20, level: 0, top: 0, bins: BINS };

function runAt(numEvents: number, numIterations: number): Run {
  const row = { worker: 0, num_iterations: numIterations, sent_bytes: 777, received_bytes: 888 };
  const summary = { num_events: numEvents, num_iterations: numIterations, version: 5, duration_s: 20, workers: [row] };
  return { state: "running", last_seq: numEvents, summary } as unknown as Run;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

it("counts nothing twice of a long run that is opened near its end", async () => {
  const server = new FakeServer();
  vi.stubGlobal("fetch", (path: string) => {
    if (path.includes("/tiles/")) return Promise.resolve(new Response(new ArrayBuffer(4 + 5 * BINS * 4)));
    if (path.includes("/landmarks")) return Promise.resolve(Response.json({ events: [], last_seq: offset, is_finished: false }));
    return Promise.resolve(Response.json(path.endsWith("/timeline") ? state : runAt(NUM_COUNTED, 9_000)));
  });
  const store = new RunStore("r", { connect: server.connect, random: () => 1 });
  store.open();
  await vi.waitFor(() => {
    expect(server.sockets.length).toBe(1);
  });
  server.newest.open();
  server.newest.answer();
  const tell = (some: typeof events) => {
    server.newest.tell({ type: "events", run_id: "r", events: some, last_seq: some.at(-1)?.seq ?? 0 });
  };
  const finishedAfter = (seq: number) => events.filter((event) => event.kind === "IterationFinished" && event.seq > seq).length;
  tell(events.slice(0, 300));
  expect(store.model.numIterations).toBe(9_000); // the summary holds them
  expect(store.model.workers[0]?.sentBytes).toBe(777);
  tell(events.slice(300)); // half of them are newer than the summary
  expect(finishedAfter(NUM_COUNTED)).toBeGreaterThan(10);
  expect(store.model.numIterations).toBe(9_000 + finishedAfter(NUM_COUNTED));
  server.newest.tell({ type: "state", run_id: "r", run: runAt(NUM_COUNTED + 1, 9_001) }); // late: the fold is further
  expect(store.model.numIterations).toBe(9_000 + finishedAfter(NUM_COUNTED));
  const lastSeq = events.at(-1)?.seq ?? 0;
  server.newest.tell({ type: "state", run_id: "r", run: runAt(lastSeq, 9_500) });
  expect(store.model.numIterations).toBe(9_500);
  store.close();
});
