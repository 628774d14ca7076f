/** Single events of the older part of a long run: fetched by blocks of time, folded for the stretch that is seen. */

import { timelineApi } from "../api/timeline";
import type { EventStretch } from "../api/types";
import type { Event } from "./events";
import { emptyModel, type RunModel } from "./model";
import { reduce } from "./reduce";

const MOST_BLOCKS_SEEN = 6; // with more of them in sight, an overview is drawn
const MARGIN = 2; // blocks that are folded on each side of what is seen
const MOST_EVENTS = 160_000; // that are kept
const MOST_REQUESTS = 2; // at one time
const SLICE = 300; // events folded between two looks at the clock
const BUDGET_MS = 4; // of a frame
const RETRY_MS = 2000;

/** A fold of the events around [fromS, toS). */
export interface Window {
  fromS: number;
  toS: number;
  model: RunModel;
}

interface Building {
  first: number;
  end: number;
  events: readonly Event[];
  done: number;
  model: RunModel;
}

/** Keeps blocks of events, and one window that is folded from them, a little in each frame. */
export class Detail {
  window: Window | null = null;
  private windowBlocks = { first: 0, end: 0 };
  private readonly blocks = new Map<number, readonly Event[]>(); // the one used longest ago first
  private readonly tooMany = new Set<number>(); // blocks with more events than the server gives
  private numEvents = 0;
  private wanted: number[] = [];
  private readonly running = new Set<number>();
  private readonly failed = new Map<number, number>();
  private building: Building | null = null;
  private knownS = Infinity; // up to here, what was fetched is whole: all was stored by then
  private isClosed = false;

  constructor(
    runId: string,
    readonly blockS: number,
    private readonly untilS: () => number,
    private readonly landmarks: () => readonly Event[],
    private readonly onNews: () => void,
    private readonly load: (fromS: number, toS: number) => Promise<EventStretch> = (fromS, toS) => timelineApi.eventsWithin(runId, fromS, toS),
  ) {}

  open(): void {
    this.isClosed = false;
  }

  close(): void {
    this.isClosed = true;
    this.wanted = [];
    this.building = null;
  }

  /** The run has gone on: what was fetched beyond `knownS` may lack something, and is fetched again when it is seen. */
  renew(knownS: number): void {
    this.knownS = knownS;
    this.building = null;
    const whole = Math.floor(knownS / this.blockS);
    this.windowBlocks.end = Math.min(this.windowBlocks.end, whole);
    for (const [block, events] of this.blocks) {
      if (block < whole) continue;
      this.blocks.delete(block);
      this.numEvents -= events.length;
    }
    for (const block of this.tooMany) if (block >= whole) this.tooMany.delete(block);
  }

  /** Say what is seen, and whither it moves; gives whether single events are wanted there. */
  look(fromS: number, toS: number, direction: number): boolean {
    const low = Math.max(0, fromS);
    const high = Math.min(toS, this.untilS());
    if (high <= low || high - low > MOST_BLOCKS_SEEN * this.blockS) {
      this.wanted = [];
      this.building = null;
      return false;
    }
    const first = Math.floor(low / this.blockS);
    const end = Math.ceil(high / this.blockS);
    const seen = Array.from({ length: end - first }, (_, i) => first + i);
    const after = [end, end + 1];
    const before = [first - 1, first - 2];
    const around = direction < 0 ? [...before, ...after] : [...after, ...before];
    this.wanted = [...seen, ...around].filter((block) => this.mayExist(block) && !this.blocks.has(block) && !this.tooMany.has(block));
    this.pump();
    this.choose(first, end);
    return true;
  }

  /** Go on with the folding for some milliseconds; gives whether more is to do. */
  work(): boolean {
    const { building } = this;
    if (!building) return false;
    const startMs = performance.now();
    while (building.done < building.events.length && performance.now() - startMs < BUDGET_MS) {
      const next = Math.min(building.events.length, building.done + SLICE);
      reduce(building.model, building.events.slice(building.done, next));
      building.done = next;
    }
    if (building.done < building.events.length) return true;
    const { first, end, model } = building;
    this.building = null;
    this.windowBlocks = { first, end };
    this.window = { fromS: first * this.blockS, toS: Math.min(end * this.blockS, this.untilS()), model };
    this.onNews();
    return false;
  }

  private mayExist(block: number): boolean {
    return block >= 0 && block * this.blockS < this.untilS();
  }

  /** Begin to fold another window where the present one does not hold what is seen and its neighbourhood. */
  private choose(first: number, end: number): void {
    const near = (block: number) => !this.mayExist(block) || this.blocks.has(block);
    const present = Array.from({ length: end - first }, (_, i) => first + i).filter((block) => this.blocks.has(block));
    if (present.length === 0) return;
    let from = present[0] as number;
    let to = from + 1;
    while (to < end + MARGIN && this.blocks.has(to)) to += 1;
    while (from > first - MARGIN && this.blocks.has(from - 1)) from -= 1;
    const holder = this.building ?? this.windowBlocks;
    const lacks = (block: number) => block >= from && block < to && (block < holder.first || block >= holder.end);
    const isLacking = Array.from({ length: end - first + 2 }, (_, i) => first - 1 + i).some(lacks);
    const isWhole = near(first - 1) && near(end); // one fold for what is there, not one for each block that comes
    const isUrgent = present.some(lacks) && !this.building && present.length === end - first;
    if (isLacking && (isWhole || isUrgent)) this.build(from, to);
  }

  private build(first: number, end: number): void {
    const bySeq = new Map<number, Event>();
    for (let block = first; block < end; block++) {
      const events = this.blocks.get(block) ?? [];
      this.blocks.delete(block); // it is the one that was used last
      this.blocks.set(block, events);
      for (const event of events) bySeq.set(event.seq, event);
    }
    const events = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
    const endS = end * this.blockS;
    const known = this.landmarks().filter((event) => event.at_s < endS && !bySeq.has(event.seq));
    const merged = [...known, ...events].sort((a, b) => a.seq - b.seq);
    this.building = { first, end, events: merged, done: 0, model: emptyModel() };
    this.onNews();
  }

  private pump(): void {
    for (const block of this.wanted) {
      if (this.running.size >= MOST_REQUESTS) return;
      if (this.running.has(block) || (this.failed.get(block) ?? 0) > performance.now()) continue;
      this.running.add(block);
      void this.fetch(block);
    }
  }

  private async fetch(block: number): Promise<void> {
    const { knownS } = this;
    try {
      const { events, is_cut: isCut } = await this.load(block * this.blockS, (block + 1) * this.blockS);
      const isOutdated = this.knownS !== knownS && (block + 1) * this.blockS > this.knownS;
      if (this.isClosed || isOutdated) return;
      if (isCut) this.tooMany.add(block);
      else this.keep(block, events);
    } catch {
      this.failed.set(block, performance.now() + RETRY_MS); // the connection is told of elsewhere
      setTimeout(() => !this.isClosed && this.onNews(), RETRY_MS); // so that it is wished for again, even if nothing moves
    } finally {
      this.running.delete(block);
      this.wanted = this.wanted.filter((one) => one !== block);
      if (!this.isClosed) {
        this.pump();
        this.onNews();
      }
    }
  }

  private keep(block: number, events: readonly Event[]): void {
    this.blocks.set(block, events);
    this.numEvents += events.length;
    for (const [old, kept] of this.blocks) {
      if (this.numEvents <= MOST_EVENTS) break;
      if (old === block) continue;
      this.blocks.delete(old);
      this.numEvents -= kept.length;
    }
  }
}
