/** The bars of all lanes, kept as a picture: a pan moves it and draws only what came into sight. */

import type { RunModel } from "../store/model";
import type { PastStore, Segment } from "../store/past";
import { Kind, NUM_KINDS, type SpanTrack } from "../store/spans";
import { mergedColumns, scanColumns, type ColumnSink } from "./columns";
import type { Lane, Layout } from "./layout";
import { PERIOD, type Palette } from "./palette";
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
const PARTED_FROM = 6; // device pixels for each span, above which one is parted from the next

/**
 * Draws into a canvas of its own; `paint` brings it up to date.
 *
 * There are two, of which a pan draws the one into the other: a canvas that is drawn into itself is copied first.
 * Whatever has a plain colour is written as pixels; only wide spans with a texture are rectangles of the canvas.
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
  private readonly textured: number[][] = Array.from({ length: NUM_KINDS }, () => []); // by kind: x, y, width, height, ...
  private readonly slow: number[] = []; // the same, for what marks slow spans with a texture
  private track: SpanTrack | null = null;
  private top = 0;
  private height = 0;
  private palette: Palette | null = null;
  private isParted = false; // spans of this lane are wide enough to be told apart

  /** The picture. */
  get canvas(): HTMLCanvasElement {
    return this.ctx.canvas;
  }

  /** Bring the picture up to date; it shows the plot alone, in device pixels. */
  paint(scale: Scale, layout: Layout, palette: Palette, model: RunModel): void {
    const { drawn } = this;
    const past = this.past?.key ?? "";
    this.segments = this.past?.segments ?? [{ fromS: -Infinity, toS: Infinity, model }];
    this.palette = palette;
    this.moveTextures(scale, palette);
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
    const changedX = Math.floor(changedFromS(layout) / scale.stepS) - scale.origin;
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
    this.mergedWorkers = mergedColumns(tracks, origin, scale.stepS, width, this.mergedWorkers);
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

  private moveTextures(scale: Scale, palette: Palette): void {
    const period = Math.round(PERIOD * scale.ratio);
    const shift = new DOMMatrix().translate(-(((scale.origin % period) + period) % period), 0);
    for (const fill of [...palette.fills, palette.forecast]) if (typeof fill !== "string") fill.setTransform(shift);
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
    this.fillTextured(x0, x1);
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
    this.isParted = numInSight(track, scale) * PARTED_FROM < scale.width;
    scanColumns(track, scale.origin, scale.stepS, from, to, this.merged.get(lane.id) ?? 0, this.sink);
  }

  private readonly sink: ColumnSink = {
    full: (x, width, kind, span, isEnd) => {
      const { palette, top, height, track, pixels } = this;
      if (!palette || !track) return;
      const hasGap = isEnd && this.isParted && track.iteration[span + 1] !== track.iteration[span]; // parts of one stay together
      const isTextured = width >= TEXTURED_FROM && typeof palette.fills[kind] !== "string";
      const ownWidth = hasGap ? width - 1 : width;
      if (isTextured) this.textured[kind]?.push(x, top, ownWidth, height);
      else pixels.fill(x, top, ownWidth, height, palette.words[kind] as number);
      if (track.isSlow[span] === 0) return;
      const markHeight = Math.max(1, Math.round(height / 10));
      if (isTextured) this.slow.push(x, top, width, markHeight);
      else pixels.fill(x, top, width, markHeight, palette.stallWord);
    },
    mixed: (x, width, shares) => {
      const { palette, top, height, pixels } = this;
      if (!palette) return;
      stackUp(shares, height, tops);
      let reached = 0;
      for (let place = 0; place < NUM_KINDS; place++) {
        const next = tops[place] as number;
        if (next > reached) pixels.fill(x, top + height - next, width, next - reached, palette.words[STACK_ORDER[place] as Kind] as number);
        reached = next;
      }
    },
  };

  /** Fill the spans that have a texture, kind by kind. */
  private fillTextured(x0: number, x1: number): void {
    const { ctx, palette } = this;
    if (!palette) return;
    ctx.save();
    ctx.beginPath();
    ctx.rect(x0, 0, x1 - x0, this.canvas.height);
    ctx.clip();
    this.textured.forEach((rects, kind) => fillAll(ctx, rects, palette.fills[kind] as string | CanvasPattern));
    fillAll(ctx, this.slow, palette.stall);
    ctx.restore();
  }
}

const tops = new Int32Array(NUM_KINDS);

function fillAll(ctx: CanvasRenderingContext2D, rects: number[], fill: string | CanvasPattern): void {
  if (rects.length === 0) return;
  ctx.fillStyle = fill;
  for (let i = 0; i < rects.length; i += 4) {
    ctx.fillRect(rects[i] as number, rects[i + 1] as number, rects[i + 2] as number, rects[i + 3] as number);
  }
  rects.length = 0;
}

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
