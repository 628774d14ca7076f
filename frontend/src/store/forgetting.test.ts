import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { syntheticLog } from "../../dev/syntheticLog";
import type { Run, TimelineState } from "../api/types";
import type { Event } from "./events";
import { figuresWithin } from "./figures";
import { MOST_FOLDED } from "./forgetting";
import { FakeServer } from "./hub.fake";
import { emptyModel, type RunModel } from "./model";
import { reduce } from "./reduce";
import { RunStore } from "./runStore";
import { BINS } from "./tiles";

const NUM_EVENTS = 200_000;
const FRAME = 2_000;

/** A short log over and over, so that it is made quickly: its times and numbers go on. */
function longLog(): Event[] {
  const [first, ...rest] = syntheticLog({ policy: "ssp", factors: [1, 1, 3], seconds: 40, isEnded: false });
  const told = rest.filter(({ kind }) => !["NodeStarted", "WorkerJoined"].includes(kind));
  const begun = rest.filter(({ kind }) => ["NodeStarted", "WorkerJoined"].includes(kind));
  const events = first ? [first, ...begun] : [];
  for (let turn = 0; events.length < NUM_EVENTS; turn++) {
    for (const event of told) events.push(moved(event, turn * 41, turn * 1_000_000, events.length));
  }
  return events.slice(0, NUM_EVENTS).map((event, i) => Object.assign(event, { seq: i + 1 }));
}

const TIMES = ["at_s", "started_at_s", "ended_at_s", "sent_at_s", "arrived_at_s", "released_at_s", "blocked_from_s"];

function moved(event: Event, byS: number, by: number, seq: number): Event {
  const copy: Record<string, unknown> = { ...event };
  for (const name of TIMES) if (typeof copy[name] === "number") copy[name] = (copy[name]) + byS;
  for (const name of ["iteration", "version"]) if (typeof copy[name] === "number") copy[name] = (copy[name]) + by;
  if (typeof copy.reason === "string") copy.reason = `${copy.reason} (${seq})`; // sentences with figures never come twice
  return copy as unknown as Event;
}

const LOG = longLog();
const overview: TimelineState = { last_seq: 0, newest_seq: 0, is_complete: true, to_s: 0, level: 0, top: 3, bins: BINS };
const run = (lastSeq: number) => ({ state: "running", last_seq: lastSeq, summary: { duration_s: 1, workers: [] } }) as unknown as Run;
const EMPTY_TILE = new ArrayBuffer(4 + 5 * BINS * 4);

describe("A run that is followed for long", () => {
  const server = new FakeServer();
  const asked: string[] = [];
  let told = 0; // events that the server has stored
  let store: RunStore;

  beforeEach(async () => {
    vi.stubGlobal("fetch", (path: string) => {
      asked.push(path);
      if (path.includes("/tiles/")) return Promise.resolve(new Response(EMPTY_TILE));
      const toS = LOG[told]?.at_s ?? 0;
      return Promise.resolve(Response.json(path.endsWith("/timeline") ? { ...overview, last_seq: told, to_s: toS } : run(told)));
    });
    store = new RunStore("r", { connect: server.connect, random: () => 1 });
    store.open();
    await vi.waitFor(() => {
      expect(server.sockets.length).toBe(1);
    });
    server.newest.open();
    server.newest.answer();
    server.newest.tell({ type: "state", run_id: "r", run: run(0) });
    for (let from = 0; from < LOG.length; from += FRAME) {
      told = from + FRAME;
      server.newest.tell({ type: "events", run_id: "r", events: LOG.slice(from, told), last_seq: told });
      if (from % MOST_FOLDED === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await vi.waitFor(() => {
      expect(store.model.lastSeq - store.openedSeq).toBeLessThan(MOST_FOLDED);
    });
  }, 60_000);

  afterEach(() => {
    store.close();
    vi.unstubAllGlobals();
  });

  it("is held in bounded memory, while its totals stay exact and its newest part stays as it is", () => {
    const { model } = store;
    const whole = reduce(emptyModel(), LOG);
    expect(model.lastSeq).toBe(NUM_EVENTS);
    expect(numHeld(model)).toBeLessThan(0.6 * numHeld(whole));
    expect(model.sentences.length).toBeLessThan(0.6 * whole.sentences.length);
    expect(LOG.filter(({ kind }) => kind === "IterationFinished").length).toBe(model.numIterations);
    for (const [i, node] of model.workers.entries()) {
      const other = whole.workers[i];
      const totals = ["iteration", "clock", "numPushes", "sentBytes", "receivedBytes", "maxLead", "numSlow"] as const;
      for (const name of totals) expect(node[name]).toBe(other?.[name]);
      expect(node.forecasts.score).toEqual(other?.forecasts.score);
    }
    const untilS = store.past?.untilS ?? Infinity;
    expect(untilS).toBeLessThan(model.lastS - 10);
    const [figures, expected] = [model, whole].map((one) => Object.values(figuresWithin(one, untilS, one.lastS, one.lastS)) as number[]);
    figures?.forEach((figure, i) => {
      expect(figure).toBeCloseTo(expected?.[i] ?? NaN, 6);
    });
    expect(waits(model, untilS)).toEqual(waits(whole, untilS));
    expect(asked.filter((path) => path.includes("/tiles/3/0")).length).toBeGreaterThan(0); // the past is the server's
  });
});

/** Entries of all arrays that grow with the run. */
function numHeld(model: RunModel): number {
  const series = [model.steps, model.trainLoss, model.bytes, model.staleness, model.lead, model.aggregates, model.windows];
  for (const node of model.nodes.values()) series.push(node.track as never, node.lead, node.staleness, node.cpu, node.memory, node.forecasts as never);
  return series.reduce((sum, { length }) => sum + length, 0);
}

/** The waits after a time, with the gate's sentences. */
function waits(model: RunModel, fromS: number): string[] {
  return model.workers.flatMap(({ track }) =>
    Array.from({ length: track.length }, (_, i) => track.at(i))
      .filter(({ startS, reason }) => startS >= fromS && reason >= 0)
      .map(({ startS, reason }) => `${startS} ${model.sentences[reason] ?? ""} ${(model.blamed.get(reason) ?? []).join()}`),
  );
}
