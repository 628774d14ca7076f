/** The older part of a long run: an overview in tiles, and single events where the view is close. */

import type { TimelineState } from "../api/types";
import { Detail } from "./detail";
import type { Event } from "./events";
import { addCounts } from "./figures";
import type { Counts, Past, RunModel } from "./model";
import { Kind, NUM_KINDS } from "./spans";
import { BINS, shareOf, TileStore, type Tile } from "./tiles";

const BLOCK_BINS = 128; // of the finest level: some 4,000 events
const LEAST_BIN_PX = 2; // device pixels of a bin that is drawn
const MOST_PREPARED = 8; // tiles that are fetched before the past moves on
const BINS_WITHIN = 4; // of a stretch that is summed up, at least

/** A part of the time line, and what is drawn there: a fold, or tiles (null). */
export interface Segment {
  fromS: number;
  toS: number;
  model: RunModel | null;
}

export class PastStore implements Past {
  untilS = Infinity; // set once the first events that follow are here; moves on while a run is followed
  level: number; // of the tiles that are drawn
  readonly tiles: TileStore;
  readonly detail: Detail;
  private centreS = 0;
  private seen = { fromS: 0, toS: 0 };
  private isClose = false; // so that single events are wanted

  constructor(
    runId: string,
    state: TimelineState,
    readonly landmarks: readonly Event[],
    private readonly present: RunModel,
    onNews: () => void,
  ) {
    this.level = state.top;
    this.tiles = new TileStore(runId, state, onNews);
    this.detail = new Detail(runId, BLOCK_BINS * 2 ** state.level, () => this.untilS, () => this.landmarks, onNews);
    this.tiles.wish([{ level: state.top, place: 0 }]);
  }

  open(): void {
    this.tiles.open();
    this.detail.open();
  }

  close(): void {
    this.tiles.close();
    this.detail.close();
  }

  get state(): TimelineState {
    return this.tiles.state;
  }

  /**
   * Fetch what will be drawn once the past reaches up to `untilS`; gives false where it cannot be had yet.
   *
   * Of the past so far, what lies before `knownS` has not changed.
   */
  async prepare(state: TimelineState, untilS: number, knownS: number): Promise<boolean> {
    this.tiles.renew(state, knownS);
    const level = Math.max(Math.min(this.level, state.top), state.level);
    const tileS = BINS * 2 ** level;
    const first = Math.floor(Math.max(0, this.seen.fromS, Math.min(this.untilS, untilS)) / tileS);
    const end = Math.ceil(Math.min(this.seen.toS, untilS) / tileS);
    const inSight = Array.from({ length: Math.min(MOST_PREPARED, Math.max(0, end - first)) }, (_, i) => ({ level, place: first + i }));
    const isTop = ({ level: one }: { level: number }) => one === state.top;
    return this.tiles.fetchNow([{ level: state.top, place: 0 }, ...inSight.filter((one) => !isTop(one))]);
  }

  /** Let the past reach up to a later time. */
  moveTo(untilS: number, knownS: number): void {
    this.detail.renew(knownS);
    this.untilS = untilS;
  }

  /** Say what is seen, in columns of so many seconds; gives whether there is more to fold in the next frame. */
  look(fromS: number, toS: number, stepS: number): boolean {
    const centreS = (fromS + toS) / 2;
    const direction = Math.sign(centreS - this.centreS);
    this.centreS = centreS;
    this.seen = { fromS, toS };
    this.level = this.tiles.levelFor(LEAST_BIN_PX * stepS);
    this.isClose = fromS >= this.untilS || this.detail.look(fromS, toS, direction);
    this.wishTiles(fromS, toS, direction);
    return this.isClose && this.detail.work();
  }

  /** Wish first for what is seen, then for what lies in the direction of the move, then for what a zoom would show. */
  private wishTiles(fromS: number, toS: number, direction: number): void {
    const { level, tiles } = this;
    const places = (at: number) => {
      const tileS = BINS * 2 ** at;
      const first = Math.max(0, Math.floor(fromS / tileS));
      return { first, end: Math.max(first + 1, Math.ceil(toS / tileS)) };
    };
    const all = (at: number) => {
      const { first, end } = places(at);
      return Array.from({ length: Math.min(end - first, 64) }, (_, i) => ({ level: at, place: first + i }));
    };
    const { first, end } = places(level);
    const after = [{ level, place: end }, { level, place: end + 1 }];
    const before = [{ level, place: first - 1 }, { level, place: first - 2 }];
    const { state } = tiles;
    tiles.wish([
      { level: state.top, place: 0 },
      ...all(level),
      ...(direction < 0 ? [...before, ...after] : [...after, ...before]),
      ...(level < state.top ? all(level + 1) : []),
      ...(level > state.level ? all(level - 1) : []),
      { level: state.top - 1, place: 0 }, // the strip of the whole run
      { level: state.top - 1, place: 1 },
    ]);
  }

  /** The whole time line from left to right. */
  get segments(): Segment[] {
    const { window } = this.detail;
    const untilS = this.drawnUntilS;
    const parts: Segment[] = [];
    if (window && window.toS > window.fromS) {
      parts.push({ fromS: -Infinity, toS: window.fromS, model: null });
      parts.push({ fromS: window.fromS, toS: Math.min(window.toS, untilS), model: window.model });
      if (window.toS < untilS) parts.push({ fromS: window.toS, toS: untilS, model: null });
    } else parts.push({ fromS: -Infinity, toS: untilS, model: null });
    if (untilS < Infinity) parts.push({ fromS: untilS, toS: Infinity, model: this.present });
    return parts;
  }

  /** Where the present fold begins to be drawn. An ended run that is seen from afar is drawn from its tiles alone, if they hold all of it. */
  private get drawnUntilS(): number {
    const hasAll = this.present.finishedS !== null && this.state.last_seq >= this.present.lastSeq;
    return this.isClose || !hasAll || this.untilS === Infinity ? this.untilS : Infinity;
  }

  /** Changes whenever the past would be drawn otherwise at the same place. */
  get key(): string {
    const { window } = this.detail;
    return `${this.level} ${this.tiles.version} ${window?.fromS ?? ""} ${window?.toS ?? ""} ${this.drawnUntilS}`;
  }

  modelAt(atS: number): RunModel | null {
    if (atS >= this.untilS) return this.present;
    const { window } = this.detail;
    return window && atS >= window.fromS && atS < window.toS ? window.model : null;
  }

  addSeconds(worker: number | null, fromS: number, toS: number, out: Float64Array): void {
    const { window } = this.detail;
    if (!window || fromS < window.fromS || toS > window.toS) {
      this.tiles.addSeconds(worker, this.levelWithin(fromS, toS), fromS, toS, out);
      return;
    }
    for (const node of window.model.workers) {
      if (worker !== null && node.worker !== worker) continue;
      node.track.sumWithin(fromS, toS, sums);
      for (let kind = 0; kind < NUM_KINDS; kind++) out[kind] = (out[kind] as number) + (sums[kind] as number);
    }
  }

  waiting(groups: readonly (readonly number[])[], first: number, num: number, stepS: number): Float64Array {
    const seconds = new Float64Array(groups.length * num);
    const fromS = Math.max(0, first * stepS);
    const toS = Math.min(this.untilS, (first + num) * stepS);
    const level = Math.max(this.level, this.tiles.levelFor(stepS / 2));
    const { window } = this.detail;
    const lowS = window ? Math.min(Math.max(fromS, window.fromS), toS) : toS;
    const highS = window ? Math.max(Math.min(toS, window.toS), lowS) : toS;
    for (const [startS, endS] of [[fromS, lowS], [highS, toS]] as const) {
      this.tiles.scan(level, startS, endS, (tile, bin, binFromS, binToS) => {
        const shares = waitsOf(tile, groups);
        for (let group = 0; group < groups.length; group++) {
          const share = shares[group * BINS + bin] as number;
          if (share > 0) spread(seconds, group * num, num, binFromS / stepS - first, binToS / stepS - first, share * stepS);
        }
      });
    }
    groups.forEach((workers, group) => {
      for (const worker of window && highS > lowS ? workers : []) {
        const track = window?.model.nodes.get(`worker-${worker}`)?.track;
        const end = track?.numStartingBefore(highS) ?? 0;
        for (let i = track?.firstEndingAfter(lowS) ?? 0; track && i < end; i++) {
          if (track.kind[i] !== Kind.wait) continue;
          const startS = Math.max(lowS, track.start[i] as number);
          spread(seconds, group * num, num, startS / stepS - first, Math.min(highS, track.end[i] as number) / stepS - first, stepS);
        }
      }
    });
    return seconds;
  }

  counts(fromS: number, toS: number): Counts {
    const counts = { iterations: 0, losses: 0, lossSum: 0, bytes: 0, updates: 0 };
    const { window } = this.detail;
    if (window && fromS >= window.fromS && toS <= window.toS) addCounts(window.model, fromS, toS, counts);
    else this.tiles.addCounts(this.levelWithin(fromS, toS), fromS, toS, counts);
    return counts;
  }

  /** Bins that are fine enough for a stretch, and no finer than those that are seen: they are here already. */
  private levelWithin(fromS: number, toS: number): number {
    return Math.max(this.level, this.tiles.levelFor((toS - fromS) / BINS_WITHIN));
  }
}

const sums = new Float64Array(NUM_KINDS);

/** Add `per` for each part of the stretch [from, to) to the parts in which it lies, the first of which stands at `offset`. */
function spread(out: Float64Array, offset: number, num: number, from: number, to: number, per: number): void {
  for (let at = from; at < to; ) {
    const part = Math.min(num - 1, Math.max(0, Math.floor(at + 1e-9)));
    const next = part === num - 1 ? to : Math.min(to, part + 1);
    out[offset + part] = (out[offset + part] as number) + per * (next - at);
    at = next > at ? next : to;
  }
}

const waits = new WeakMap<Tile, { groups: unknown; shares: Float32Array }>();

/** Give how many workers of each group waited in each bin of a tile; kept as long as the tile, for the groups asked for last. */
function waitsOf(tile: Tile, groups: readonly (readonly number[])[]): Float32Array {
  const known = waits.get(tile);
  if (known?.groups === groups) return known.shares;
  const shares = new Float32Array(groups.length * BINS);
  groups.forEach((workers, group) => {
    for (const worker of workers) {
      const row = tile.rows.get(worker);
      if (row === undefined) continue;
      for (let bin = 0; bin < BINS; bin++) {
        shares[group * BINS + bin] = (shares[group * BINS + bin] as number) + shareOf(tile, Kind.wait, row, bin);
      }
    }
  });
  waits.set(tile, { groups, shares });
  return shares;
}
