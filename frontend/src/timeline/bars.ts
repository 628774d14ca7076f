/** The bars of all lanes, kept as a picture: a pan moves it and draws only what came into sight. */

import type { RunModel } from "../store/model";
import type { PastStore, Segment } from "../store/past";
import { Kind, NUM_KINDS, type SpanTrack } from "../store/spans";
import { MOST_MERGED, mergedColumns, scanColumns, type ColumnSink } from "./columns";
import type { Lane, Layout } from "./layout";
import type { Palette } from "./palette";
import { Pixels } from "./pixels";
import { STACK_ORDER, stackUp } from "./stack";
import { TileColumns } from "./tileColumns";

/** From time to device pixels: column x of the plot begins at (origin + x) * stepS. */
export interface Scale {
  stepS: number; // seconds to a device pixel
  origin: number; // whole columns between time 0 and the plot's left edge
  width: number; // columns of the plot
  ratio: number; // device pixels to a CSS pixel
}

/** A segment in columns of the plot, as far as it is drawn. */
interface Part extends Segment {
  from: number;
  to: number;
}

const TEXTURED_FROM = 5; // device pixels: a narrower span has the mean of its texture
const PARTED_FROM = 6; // device pixels of a span from which it is parted from the next
const CHANGED_BEFORE = MOST_MERGED; // columns before a change that may look otherwise by it
const REST_MS = 500; // without a move, after which the level of detail is chosen afresh

/**
 * Draws into a canvas of its own; `paint` brings it up to date.
 *
 * There are two, of which a pan draws the one into the other: a canvas that is drawn into itself is copied first.
 * What a column holds depends on nothing that is drawn beside it, so that a moved picture is the same as a fresh one.
 */
export class BarsLayer {
  past: PastStore | null = null; // what is drawn where the fold holds nothing
  private ctx = newContext();
  private spare = newContext();
  private drawn: { scale: Scale; layout: Layout; palette: Palette; past: string } | null = null;
  private segments: readonly Segment[] = [];
  private merged = new Map<string, number>(); // lane -> columns drawn as one
  private mergedWorkers = 0; // the choice for all workers' lanes
  private readonly pixels = new Pixels();
  private readonly tiles = new TileColumns();
  private track: SpanTrack | null = null;
  private top = 0;
  private height = 0;
  private from = 0; // columns that belong to the part which is drawn: [from, to)
  private to = 0;
  private scale: Scale = { stepS: 1, origin: 0, width: 1, ratio: 1 };
  private palette: Palette | null = null;
  private heldMs = -Infinity; // since when the level of detail is kept as it is
  isSettled = false; // the level of detail is the one that the view asks for, not one that was kept while it moved

  /** The picture. */
  get canvas(): HTMLCanvasElement {
    return this.ctx.canvas;
  }

  /** Bring the picture up to date; it shows the plot alone, in device pixels. */
  paint(scale: Scale, layout: Layout, palette: Palette, model: RunModel, atMs: number): void {
    const { drawn } = this;
    const past = this.past?.key ?? "";
    this.segments = this.past?.segments ?? [{ fromS: -Infinity, toS: Infinity, model }];
    this.palette = palette;
    this.scale = scale;
    const { origin, stepS, width } = drawn?.scale ?? {};
    if (origin !== scale.origin || stepS !== scale.stepS || width !== scale.width || drawn?.layout !== layout) this.heldMs = atMs;
    this.isSettled = drawn === null || atMs - this.heldMs >= REST_MS;
    if (this.isSettled) this.heldMs = atMs; // what arrives in a view that rests does not make it flicker, either
    const height = Math.max(1, Math.round((layout.height - layout.axis) * scale.ratio));
    const isMergedAnew = this.chooseMerging(layout, scale);
    const shift = drawn ? scale.origin - drawn.scale.origin : 0;
    const mayMove =
      drawn?.scale.stepS === scale.stepS &&
      drawn.scale.width === scale.width &&
      drawn.layout === layout &&
      drawn.palette === palette &&
      drawn.past === past &&
      !isMergedAnew &&
      this.canvas.height === height &&
      Math.abs(shift) < scale.width;
    this.drawn = { scale, layout, palette, past };
    const changedX = Math.floor(changedFromS(layout) / scale.stepS) - scale.origin - CHANGED_BEFORE;
    if (mayMove) {
      if (shift !== 0) this.move(-shift);
      const fromX = Math.max(0, Math.min(changedX, scale.width - Math.max(0, shift)));
      this.draw(layout, scale, 0, Math.min(fromX, -shift));
      this.draw(layout, scale, fromX, scale.width);
    } else {
      this.resize(scale.width, height);
      this.draw(layout, scale, 0, scale.width);
    }
  }

  /** Choose how many columns are drawn as one in each lane; gives whether that is otherwise than in the picture. */
  private chooseMerging(layout: Layout, scale: Scale): boolean {
    const part = this.partInSight(scale);
    const tracks = layout.lanes.flatMap(({ id, node, worker }) => {
      const track = part ? part.model?.nodes.get(id)?.track : node?.track;
      return track && worker !== null ? [track] : [];
    });
    const { origin, width } = part ?? scale;
    this.mergedWorkers = mergedColumns(tracks, origin, scale.stepS, width, this.isSettled ? 0 : this.mergedWorkers);
    let hasChanged = false;
    for (const { id, node, worker } of layout.lanes) {
      if (!node) continue;
      const next = worker !== null ? this.mergedWorkers : numInSight(node.track, scale) > scale.width ? 2 : 0;
      if (next !== (this.merged.get(id) ?? 0)) hasChanged = true;
      this.merged.set(id, next);
    }
    return hasChanged;
  }

  /** Of a long run: give the widest part in sight that is drawn from a fold, with its columns. */
  private partInSight(scale: Scale): { model: Segment["model"]; origin: number; width: number } | null {
    if (!this.past) return null;
    let widest = { model: null as Segment["model"], origin: scale.origin, width: 0 };
    for (const { from, to, model } of this.partsOf(scale, 0, scale.width)) {
      if (model && to - from > widest.width) widest = { model, origin: scale.origin + from, width: to - from };
    }
    return widest;
  }

  private partsOf({ origin, stepS }: Scale, x0: number, x1: number): Part[] {
    const column = (atS: number) => Math.min(x1, Math.max(x0, Math.round(atS / stepS) - origin));
    return this.segments
      .map((segment) => ({ ...segment, from: column(segment.fromS), to: column(segment.toS) }))
      .filter(({ from, to }) => to > from);
  }

  private move(byX: number): void {
    const { ctx, spare } = this;
    spare.globalCompositeOperation = "copy";
    spare.drawImage(ctx.canvas, byX, 0);
    spare.globalCompositeOperation = "source-over";
    this.ctx = spare;
    this.spare = ctx;
  }

  private resize(width: number, height: number): void {
    for (const { canvas } of [this.ctx, this.spare]) {
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
    }
  }

  /** Draw the columns [x0, x1) of all lanes in sight. */
  private draw(layout: Layout, scale: Scale, x0: number, x1: number): void {
    if (x1 <= x0) return;
    this.pixels.open(scale.width, this.canvas.height, x0, x1);
    for (const part of this.partsOf(scale, x0, x1)) {
      if (!part.model && this.past) {
        const { level, tiles } = this.past;
        this.tiles.choose(tiles, level, scale.origin, scale.stepS, part.from, part.to);
      }
      for (const lane of layout.lanes) this.drawPart(lane, part, layout.scrollY, scale);
    }
    this.pixels.put(this.ctx);
  }

  /** Draw a lane's part from its fold; without one from the tiles, with the times in which its worker was lost. */
  private drawPart(lane: Lane, { model, from, to }: Part, scrollY: number, scale: Scale): void {
    const { palette } = this;
    if (!lane.node || !palette) return;
    this.top = Math.round((lane.y - scrollY) * scale.ratio);
    this.height = Math.max(1, Math.round(lane.height * scale.ratio));
    if (this.top + this.height < 0 || this.top > this.canvas.height) return;
    if (lane.worker !== null && !model) this.tiles.write(this.pixels, lane.worker, this.top, this.height, palette.words);
    const track = lane.worker !== null && model ? model.nodes.get(lane.id)?.track : lane.node.track;
    if (!track) return;
    this.track = track;
    this.from = from;
    this.to = to;
    scanColumns(track, scale.origin, scale.stepS, from, to, this.merged.get(lane.id) ?? 0, this.sink);
  }

  private readonly sink: ColumnSink = {
    full: (x, width, kind, span, isEnd) => {
      const { palette, top, height, track, pixels, scale } = this;
      if (!palette || !track) return;
      const length = ((track.end[span] as number) - (track.start[span] as number)) / scale.stepS; // all of it, however little is drawn now
      const hasGap = isEnd && length >= PARTED_FROM && isFollowed(track, span, scale.stepS);
      this.fill(x, top, hasGap ? width - 1 : width, height, kind, length >= TEXTURED_FROM);
      if (track.isSlow[span] === 1) pixels.fill(x, top, width, Math.max(1, Math.round(height / 10)), palette.stallWord);
    },
    mixed: (x, width, shares) => {
      const { top, height } = this;
      const left = Math.max(x, this.from);
      const ownWidth = Math.min(x + width, this.to) - left;
      stackUp(shares, height, tops);
      let reached = 0;
      for (let place = 0; place < NUM_KINDS; place++) {
        const next = tops[place] as number;
        if (next > reached) this.fill(left, top + height - next, ownWidth, next - reached, STACK_ORDER[place] as Kind, false);
        reached = next;
      }
    },
  };

  /** Fill with a kind's texture or its mean. A loss always has its texture: its mean is too like the other colours. */
  private fill(x: number, y: number, width: number, height: number, kind: Kind, isWide: boolean): void {
    const { palette, pixels, scale } = this;
    if (!palette) return;
    const texture = isWide || kind === Kind.lost ? palette.textures[kind] : null;
    if (texture) pixels.weave(x, y, width, height, texture, scale.origin);
    else pixels.fill(x, y, width, height, palette.words[kind] as number);
  }
}

/** Whether another iteration follows at once; parts of one stay together. */
function isFollowed(track: SpanTrack, span: number, stepS: number): boolean {
  if (span + 1 >= track.length || track.iteration[span + 1] === track.iteration[span]) return false;
  return (track.start[span + 1] as number) - (track.end[span] as number) < stepS;
}

const tops = new Int32Array(NUM_KINDS);

function numInSight(track: SpanTrack, { origin, stepS, width }: Scale): number {
  return track.numStartingBefore((origin + width) * stepS) - track.firstEndingAfter(origin * stepS);
}

/** Give the earliest time from which any lane has something new, and take note that it is drawn. */
function changedFromS(layout: Layout): number {
  let earliestS = Infinity;
  for (const { node } of layout.lanes) {
    if (!node) continue;
    earliestS = Math.min(earliestS, node.track.changedFromS);
    node.track.changedFromS = Infinity;
  }
  return earliestS;
}

function newContext(): CanvasRenderingContext2D {
  const ctx = document.createElement("canvas").getContext("2d");
  if (!ctx) throw new Error("this browser draws no canvas");
  return ctx;
}
