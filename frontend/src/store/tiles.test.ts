import { describe, expect, it, vi } from "vitest";
import type { TimelineState } from "../api/types";
import { Kind, NUM_KINDS } from "./spans";
import { BINS, EARLY, LATE, readTile, shareOf, TileStore } from "./tiles";

const state: TimelineState = { last_seq: 1, newest_seq: 1, is_complete: true, to_s: 1000, level: 0, top: 2, bins: BINS };

/** Pack a tile as the server does: workers 3 and 7; each bin has these shares of waiting. */
function packed(waits: (bin: number) => [number, number], iterations = 2): ArrayBuffer {
  const data = new ArrayBuffer(4 + 5 * BINS * 4 + 4 + 5 * 2 * BINS);
  const view = new DataView(data);
  view.setUint8(0, 1);
  view.setUint16(2, 2, true);
  for (let bin = 0; bin < BINS; bin++) view.setFloat32(4 + bin * 4, iterations, true);
  const workers = 4 + 5 * BINS * 4;
  view.setUint16(workers, 3, true);
  view.setUint16(workers + 2, 7, true);
  for (let bin = 0; bin < BINS; bin++) {
    waits(bin).forEach((share, row) => {
      view.setUint8(workers + 4 + (Kind.wait * 2 + row) * BINS + bin, Math.round(Math.sqrt(share) * 255));
    });
  }
  return data;
}

async function storeWith(tiles: Record<string, ArrayBuffer>): Promise<TileStore> {
  const store = new TileStore("run", state, () => undefined, (_, level, place) => {
    const data = tiles[`${level}/${place}`];
    return data ? Promise.resolve(data) : Promise.reject(new Error("none"));
  });
  store.wish(Object.keys(tiles).map((key) => ({ level: Number(key.split("/")[0]), place: Number(key.split("/")[1]) })));
  await new Promise((resolve) => setTimeout(resolve, 0));
  return store;
}

function waited(store: TileStore, worker: number | null, level: number, fromS: number, toS: number): number {
  const out = new Float64Array(NUM_KINDS);
  store.addSeconds(worker, level, fromS, toS, out);
  return out[Kind.wait] as number;
}

describe("tiles", () => {
  it("are read as they are packed", () => {
    const tile = readTile(packed(() => [1, 0.25]), 0, 4);
    expect([...tile.rows]).toEqual([[3, 0], [7, 1]]);
    expect(tile.totals[Kind.wait * BINS]).toBeCloseTo(1.25, 2);
  });

  it("hold missed windows beside what was done, if there are any", () => {
    const before = new Uint8Array(packed(() => [1, 0.25]));
    expect(readTile(before.buffer, 0, 4).hasMisses).toBe(false);
    const data = new Uint8Array(before.length + 2 * 2 * BINS).fill(255, before.length);
    data.set(before);
    data[1] = 7;
    const tile = readTile(data.buffer, 0, 4);
    expect([tile.hasMisses, shareOf(tile, LATE, 0, 9), shareOf(tile, EARLY, 1, 255)]).toEqual([true, 1, 1]);
    expect(tile.totals).toEqual(readTile(before.buffer, 0, 4).totals); // they add no time
  });

  it("give the seconds of a stretch that cuts bins", async () => {
    const store = await storeWith({ "0/0": packed((bin) => [bin < 10 ? 1 : 0, 0.04]) });
    expect(waited(store, 3, 0, 8.5, 20)).toBeCloseTo(1.5, 6);
    expect(waited(store, 7, 0, 0, 256)).toBeCloseTo(10.24, 4);
    expect(waited(store, null, 0, 0, 2)).toBeCloseTo(2.08, 4);
    expect(waited(store, 5, 0, 0, 256)).toBe(0);
  });

  it("fall back on a coarser tile until the wished one is there", async () => {
    const store = await storeWith({ "2/0": packed((bin) => [bin === 1 ? 1 : 0, 0]) }); // bins of 4 s
    expect(waited(store, 3, 0, 0, 256)).toBeCloseTo(4, 6);
    expect(waited(store, 3, 0, 5, 6)).toBeCloseTo(1, 6);
    expect(store.best(0, 3, 1024)?.level).toBe(2);
  });

  it("count what all workers did", async () => {
    const store = await storeWith({ "0/0": packed(() => [0, 0], 3) });
    const counts = { iterations: 0, losses: 0, lossSum: 0, bytes: 0, updates: 0 };
    store.addCounts(0, 1.5, 4, counts);
    expect(counts.iterations).toBeCloseTo(7.5, 6);
  });

  it("are chosen by the length of a bin, among the levels that there are", async () => {
    const store = await storeWith({});
    expect([0.1, 1, 1.5, 3, 100].map((binS) => store.levelFor(binS))).toEqual([0, 0, 1, 2, 2]);
  });

  it("that failed are wished for again, even if nothing moves", async () => {
    vi.useFakeTimers();
    let numAsked = 0;
    const wish = () => store.wish([{ level: 0, place: 0 }]);
    const store = new TileStore("run", state, wish, () => ((numAsked += 1) < 3 ? Promise.reject(new Error("503")) : Promise.resolve(packed(() => [0, 0]))));
    wish();
    await vi.advanceTimersByTimeAsync(60_000);
    vi.useRealTimers();
    expect(numAsked).toBe(3);
  });

  /** A run that waits all the time and goes on; the server holds it up to `toS`. */
  function growing() {
    const server = { toS: 218, held: [] as (() => void)[], isSlow: false };
    const load = (_: string, level: number, place: number) => {
      const { toS } = server;
      const data = packed((bin) => ((place * BINS + bin) * 2 ** level < toS ? [1, 1] : [0, 0]));
      return new Promise<ArrayBuffer>((resolve) => {
        if (server.isSlow) server.held.push(() => resolve(data));
        else resolve(data);
      });
    };
    const store = new TileStore("run", { ...state, to_s: 218, level: -2, top: 0 }, () => undefined, load);
    const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
    return { server, store, settle };
  }

  it("of a run that has gone on give way to coarser ones, where they do not hold what is new", async () => {
    const { server, store, settle } = growing();
    await store.fetchNow([{ level: 0, place: 0 }, { level: -2, place: 3 }]);
    server.toS = 335;
    store.renew({ ...state, to_s: 335, level: -2, top: 1 }, 200);
    expect(waited(store, 3, -2, 230, 231)).toBe(0); // nothing newer is here
    await store.fetchNow([{ level: 1, place: 0 }]); // that of the whole run; the others are out of sight
    expect(waited(store, 3, -2, 230, 231)).toBeCloseTo(1, 6);
    expect(store.best(-2, 3, 200)?.level).toBe(-2); // what was known is as sharp as before
    store.wish([{ level: -2, place: 3 }]);
    await settle();
    expect(store.best(-2, 3, 256)?.level).toBe(-2);
    expect(waited(store, 3, -2, 230, 231)).toBeCloseTo(1, 6);
  });

  it("that come late do not take the place of newer ones", async () => {
    const { server, store, settle } = growing();
    server.isSlow = true;
    const first = store.fetchNow([{ level: 0, place: 0 }]);
    server.toS = 250;
    store.renew({ ...state, to_s: 250, level: -2, top: 0 }, 200);
    server.isSlow = false;
    await store.fetchNow([{ level: 0, place: 0 }]);
    server.held.forEach((answer) => answer());
    await Promise.all([first, settle()]);
    expect(waited(store, 3, 0, 240, 241)).toBeCloseTo(1, 6);
  });

  it("are not asked for beyond the run", async () => {
    const asked: string[] = [];
    const store = new TileStore("run", state, () => undefined, (_, level, place) => {
      asked.push(`${level}/${place}`);
      return Promise.resolve(packed(() => [0, 0]));
    });
    store.wish([{ level: 0, place: -1 }, { level: 0, place: 3 }, { level: 0, place: 4 }, { level: 3, place: 0 }, { level: -1, place: 0 }]);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(asked).toEqual(["0/3"]);
  });
});
