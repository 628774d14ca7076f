/** The overview of a long run: seconds of each kind in equal bins of time, in tiles that the server keeps. */

import { timelineApi } from "../api/timeline";
import type { TimelineState } from "../api/types";
import type { Counts } from "./model";

export const BINS = 256;
export const NUM_TILE_KINDS = 5; // the first five of `Kind`
export const LATE = 5; // beside those: iterations that ended after their predicted window,
export const EARLY = 6; // or before it
const FIGURES = ["iterations", "losses", "lossSum", "bytes", "updates"] as const;
const MOST_BYTES = 64 * 2 ** 20;
const MOST_REQUESTS = 4; // at one time
const RETRY_MS = 2000;

/** Share of a bin for each packed byte. */
const SHARE = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255) ** 2);

/** One tile, as `backend/timeline/tiles.py` describes it. */
export interface Tile {
  level: number;
  place: number;
  rows: ReadonlyMap<number, number>; // worker -> its row
  numWorkers: number;
  figures: Float32Array; // by figure, then bin
  hasMisses: boolean; // of `LATE` and `EARLY`
  shares: Uint8Array; // by kind, LATE and EARLY if there are any, then worker's row, then bin; packed
  totals: Float32Array; // by kind, then bin: shares of all workers together
}

/** Read a packed tile. */
export function readTile(data: ArrayBuffer, level: number, place: number): Tile {
  const header = new DataView(data);
  const numWorkers = header.getUint16(2, true);
  const hasMisses = header.getUint8(1) > NUM_TILE_KINDS;
  const figures = new Float32Array(data, 4, FIGURES.length * BINS);
  const offset = 4 + figures.byteLength;
  const workers = new Uint16Array(data, offset, numWorkers);
  const rows = new Map(Array.from(workers, (worker, row) => [worker, row]));
  const shares = new Uint8Array(data, offset + workers.byteLength);
  const totals = new Float32Array(NUM_TILE_KINDS * BINS);
  for (let i = 0; i < NUM_TILE_KINDS * numWorkers * BINS; i++) {
    const cell = Math.floor(i / (numWorkers * BINS)) * BINS + (i % BINS);
    totals[cell] = (totals[cell] as number) + (SHARE[shares[i] as number] as number);
  }
  return { level, place, rows, numWorkers, figures, hasMisses, shares, totals };
}

/** Give the share of a bin that a worker's row spent on a kind, or missed its windows in, if `hasMisses`. */
export function shareOf(tile: Tile, kind: number, row: number, bin: number): number {
  return SHARE[tile.shares[(kind * tile.numWorkers + row) * BINS + bin] as number] as number;
}

function bytesOf({ shares, figures, totals }: Tile): number {
  return shares.byteLength + figures.byteLength + totals.byteLength;
}

/** Gives what it can at once, from the wished level or a coarser one, and fetches what is wished. */
export class TileStore {
  version = 0; // grows with every tile that has come
  private readonly tiles = new Map<string, Tile>(); // the one used longest ago first
  private numBytes = 0;
  private readonly wanted = new Map<string, { level: number; place: number }>(); // the most urgent first
  private readonly running = new Set<string>();
  private readonly failed = new Map<string, number>(); // -> when it may be asked for again
  private readonly outdated = new Map<string, number>(); // tiles to which the server has added since -> up to where they hold
  private numRenewed = 0;
  private isClosed = false;

  constructor(
    private readonly runId: string,
    public state: TimelineState,
    private readonly onTile: () => void,
    private readonly load: (runId: string, level: number, place: number) => Promise<ArrayBuffer> = timelineApi.tile,
  ) {}

  open(): void {
    this.isClosed = false;
  }

  close(): void {
    this.isClosed = true;
    this.wanted.clear();
  }

  /** Take a later state of a run that goes on: what reaches beyond `knownS` is asked for again, and drawn until it is here. */
  renew(state: TimelineState, knownS: number): void {
    this.state = state;
    this.numRenewed += 1;
    for (const key of [...this.tiles.keys(), ...this.running]) {
      const [level, place] = key.split("/").map(Number) as [number, number];
      if ((place + 1) * BINS * 2 ** level > knownS) this.outdated.set(key, Math.min(knownS, this.outdated.get(key) ?? Infinity));
    }
  }

  /** Fetch tiles now; gives whether the first of them is here and up to date. */
  async fetchNow(list: readonly { level: number; place: number }[]): Promise<boolean> {
    const missing = list.map(({ level, place }) => ({ level, place, key: `${level}/${place}` })).filter(({ key }) => this.isMissing(key));
    for (const { key } of missing) this.running.add(key);
    await Promise.all(missing.map(({ key, level, place }) => this.fetch(key, level, place)));
    const first = list[0];
    return first !== undefined && !this.isMissing(`${first.level}/${first.place}`);
  }

  private isMissing(key: string): boolean {
    return !this.tiles.has(key) || this.outdated.has(key);
  }

  /** Give the level whose bins are at least so long, among those that there are. */
  levelFor(binS: number): number {
    const level = Math.ceil(Math.log2(Math.max(binS, 1e-9)) - 1e-9);
    return Math.min(Math.max(level, this.state.level), this.state.top);
  }

  /** Say which tiles are wished, the most urgent first; earlier wishes that are not among them are dropped. */
  wish(list: readonly { level: number; place: number }[]): void {
    this.wanted.clear();
    for (const { level, place } of list) {
      const key = `${level}/${place}`;
      const isInRange = level >= this.state.level && level <= this.state.top;
      const isThere = isInRange && place >= 0 && place * BINS * 2 ** level <= this.state.to_s;
      if (isThere && this.isMissing(key) && !this.running.has(key)) this.wanted.set(key, { level, place });
    }
    this.pump();
  }

  /** Give the tile, or the finest coarser one over it that is there, or null; one that holds up to `toS` before others. */
  best(level: number, place: number, toS: number): Tile | null {
    let found: string | null = null;
    for (let up = 0; level + up <= this.state.top; up++) {
      const key = `${level + up}/${Math.floor(place / 2 ** up)}`;
      if (!this.tiles.has(key)) continue;
      const holds = (this.outdated.get(key) ?? Infinity) >= toS;
      if (holds || found === null) found = key;
      if (holds) break;
    }
    const tile = found === null ? undefined : this.tiles.get(found);
    if (found === null || !tile) return null;
    this.tiles.delete(found); // it is the one that was used last
    this.tiles.set(found, tile);
    return tile;
  }

  /** Go over the bins in [fromS, toS) from left to right, each cut to the stretch; where nothing is known, none comes. */
  scan(level: number, fromS: number, toS: number, take: (tile: Tile, bin: number, fromS: number, toS: number) => void): void {
    const tileS = BINS * 2 ** level;
    const last = Math.ceil(Math.min(toS, this.state.to_s + tileS) / tileS);
    for (let place = Math.max(0, Math.floor(fromS / tileS)); place < last; place++) {
      const lowS = Math.max(fromS, place * tileS);
      const highS = Math.min(toS, (place + 1) * tileS);
      const tile = this.best(level, place, highS);
      if (!tile) continue;
      const binS = 2 ** tile.level;
      const beginS = tile.place * BINS * binS;
      const end = Math.min(BINS, Math.ceil((highS - beginS) / binS));
      for (let bin = Math.max(0, Math.floor((lowS - beginS) / binS)); bin < end; bin++) {
        const startS = beginS + bin * binS;
        const cutS = Math.max(startS, lowS);
        const endS = Math.min(startS + binS, highS);
        if (endS > cutS) take(tile, bin, cutS, endS);
      }
    }
  }

  /** Add the seconds of each kind of one worker, or of all of them (null). */
  addSeconds(worker: number | null, level: number, fromS: number, toS: number, out: Float64Array): void {
    this.scan(level, fromS, toS, (tile, bin, startS, endS) => {
      const row = worker === null ? 0 : tile.rows.get(worker);
      if (row === undefined) return;
      for (let kind = 0; kind < NUM_TILE_KINDS; kind++) {
        const share = worker === null ? (tile.totals[kind * BINS + bin] as number) : shareOf(tile, kind, row, bin);
        out[kind] = (out[kind] as number) + share * (endS - startS);
      }
    });
  }

  addCounts(level: number, fromS: number, toS: number, counts: Counts): void {
    this.scan(level, fromS, toS, (tile, bin, startS, endS) => {
      const part = (endS - startS) / 2 ** tile.level;
      FIGURES.forEach((name, i) => {
        counts[name] += (tile.figures[i * BINS + bin] as number) * part;
      });
    });
  }

  private pump(): void {
    for (const [key, { level, place }] of this.wanted) {
      if (this.running.size >= MOST_REQUESTS) return;
      if ((this.failed.get(key) ?? 0) > performance.now()) continue;
      this.wanted.delete(key);
      this.running.add(key);
      void this.fetch(key, level, place);
    }
  }

  private async fetch(key: string, level: number, place: number): Promise<void> {
    const { numRenewed } = this;
    try {
      const data = await this.load(this.runId, level, place);
      const isNewest = numRenewed === this.numRenewed; // else the server may have added to it meanwhile,
      const hasNewer = !isNewest && !this.isMissing(key); // and may have been asked since
      if (this.isClosed || hasNewer) return;
      if (isNewest) this.outdated.delete(key);
      this.keep(key, readTile(data, level, place));
    } catch {
      this.failed.set(key, performance.now() + RETRY_MS); // the connection is told of elsewhere
      setTimeout(() => !this.isClosed && this.onTile(), RETRY_MS); // so that it is wished for again, even if nothing moves
    } finally {
      this.running.delete(key);
      this.pump();
    }
  }

  private keep(key: string, tile: Tile): void {
    const before = this.tiles.get(key);
    this.tiles.set(key, tile);
    this.numBytes += bytesOf(tile) - (before ? bytesOf(before) : 0);
    for (const [oldKey, old] of this.tiles) {
      if (this.numBytes <= MOST_BYTES) break;
      if (old.level === this.state.top) continue; // what every other falls back on
      this.tiles.delete(oldKey);
      this.outdated.delete(oldKey);
      this.numBytes -= bytesOf(old);
    }
    this.version += 1;
    this.onTile();
  }
}
