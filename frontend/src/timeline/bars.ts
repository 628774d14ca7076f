/** The bars of all lanes, kept as a picture: a pan moves it and draws only what came into sight. */

import type { PastStore, Segment } from "../store/past";
import { Kind, NUM_KINDS, type SpanTrack } from "../store/spans";
import { mergedColumns, scanColumns, type ColumnSink } from "./columns";
import { scanTiles } from "./tileColumns";
import type { Lane, Layout } from "./layout";
import { PERIOD, type Palette } from "./palette";

/** From time to device pixels: column x of the plot begins at (origin + x) * stepS. */
export interface Scale {
  stepS: number; // seconds to a device pixel
  origin: number; // whole columns between time 0 and the plot's left edge
  width: number; // columns of the plot
  ratio: number; // device pixels to a CSS pixel
}

function numInSight(track: SpanTrack, { origin, stepS, width }: Scale): number {
  return track.numStartingBefore((origin + width) * stepS) - track.firstEndingAfter(origin * stepS);
}

const STACK_ORDER = [Kind.compute, Kind.overlapped, Kind.evaluation, Kind.up, Kind.down, Kind.wait, Kind.lost] as const;
const NEVER_HIDDEN: ReadonlySet<Kind> = new Set([Kind.wait, Kind.lost]);
const MOST_BLOCKS = 6000; // that a draft consists of
const MANY_LANES = 32; // from which a draft of tiles has wider bins
const TEXTURED_FROM = 5; // device pixels: a narrower span has the mean of its texture
const PARTED_FROM = 6; // device pixels for each span, above which one is parted from the next

/**
 * Draws into a canvas of its own; `paint` brings it up to date.
 *
 * There are two, of which a pan draws the one into the other: a canvas that is drawn into itself is copied first.
 */
export class BarsLayer {
  past: PastStore | null = null; // what is drawn where the fold holds nothing
  private ctx = newContext();
  private spare = newContext();
  private drawn: { scale: Scale; scrollY: number; palette: Palette; lanes: string; past: string; isDraft: boolean } | null = null;
  private segments: Segment[] = [];
  private coarser = 0; // levels of the tiles above the wished one, in a draft
  private mergedWorkers = 0; // the choice for all workers' lanes
  private readonly merged = new Map<string, number>(); // lane -> columns drawn as one
  private readonly stacks: number[][] = Array.from({ length: NUM_KINDS }, () => []); // by kind: x, y, width, height, ...
  private track: SpanTrack | null = null;
  private top = 0;
  private height = 0;
  private palette: Palette | null = null;
  private isParted = false; // spans of this lane are wide enough to be told apart

  /** The picture. */
  get canvas(): HTMLCanvasElement {
    return this.ctx.canvas;
  }

  /**
   * Bring the picture up to date; it shows the plot alone, in device pixels.
   *
   * While the scale changes from frame to frame, much is drawn as a draft with wider columns. Gives whether that
   * was so: a frame will be wanted once the scale rests.
   */
  paint(scale: Scale, layout: Layout, palette: Palette): boolean {
    const lanes = layout.lanes.filter(({ node }) => node !== null);
    const names = lanes.map(({ id, y, height }) => `${id}:${y}:${height}`).join();
    const height = Math.max(1, Math.round((layout.height - layout.axis) * scale.ratio));
    const { drawn } = this;
    const past = this.past?.key ?? "";
    this.segments = this.past?.segments ?? [];
    this.palette = palette;
    this.moveTextures(scale, palette);
    const isResting = drawn?.scale.stepS === scale.stepS;
    const mayMove =
      isResting &&
      !drawn.isDraft &&
      drawn.scale.width === scale.width &&
      drawn.palette === palette &&
      drawn.scrollY === layout.scrollY &&
      drawn.lanes === names &&
      drawn.past === past &&
      this.canvas.height === height &&
      Math.abs(scale.origin - drawn.scale.origin) < scale.width;
    const isDraft = this.chooseMerging(lanes, scale, drawn === null || isResting);
    this.drawn = { scale, scrollY: layout.scrollY, palette, lanes: names, past, isDraft };
    if (mayMove) this.update(lanes, layout, scale, scale.origin - drawn.scale.origin);
    else {
      this.clear(scale.width, height);
      for (const lane of lanes) {
        if (lane.node) lane.node.track.changedFromS = Infinity;
        this.draw(lane, layout, scale, 0, scale.width);
      }
    }
    return isDraft;
  }

  /** Move the picture, and draw what came into sight, what is new, and lanes that are merged otherwise. */
  private update(lanes: readonly Lane[], layout: Layout, scale: Scale, shift: number): void {
    if (shift !== 0) this.move(-shift);
    for (const lane of lanes) {
      if (!lane.node) continue;
      const { track } = lane.node;
      const newX = Math.floor(track.changedFromS / scale.stepS) - scale.origin;
      track.changedFromS = Infinity;
      const fromX = this.hasChanged.has(lane.id) ? 0 : Math.max(0, Math.min(newX, scale.width - Math.max(0, shift)));
      if (shift < 0 && fromX > 0) this.draw(lane, layout, scale, 0, -shift);
      this.draw(lane, layout, scale, fromX, scale.width);
    }
  }

  private readonly hasChanged = new Set<string>(); // lanes that are merged otherwise than in the picture

  /** Choose how many columns are drawn as one in each lane; gives whether some are so for the draft only. */
  private chooseMerging(lanes: readonly Lane[], scale: Scale, isResting: boolean): boolean {
    this.hasChanged.clear();
    const part = this.partInSight(scale);
    const tracks = lanes.flatMap(({ id, node, worker }) => {
      const track = part ? part.model?.nodes.get(id)?.track : node?.track;
      return track && worker !== null ? [track] : [];
    });
    const { origin, width } = part ?? scale;
    this.mergedWorkers = mergedColumns(tracks, origin, scale.stepS, width, this.mergedWorkers);
    this.coarser = !isResting && this.past && lanes.length > MANY_LANES ? 2 : 0;
    const blocks = Math.max(40, MOST_BLOCKS / Math.max(1, lanes.length));
    let isDraft = this.coarser > 0;
    for (const { id, node, worker } of lanes) {
      if (!node) continue;
      const inSight = numInSight(node.track, scale);
      let next = inSight > scale.width ? 2 : 0;
      if (worker !== null) next = this.mergedWorkers;
      if (!isResting && (next > 0 ? scale.width / next : inSight) > 2 * blocks) {
        next = Math.ceil(scale.width / blocks);
        isDraft = true;
      }
      if (next !== (this.merged.get(id) ?? 0)) this.hasChanged.add(id);
      this.merged.set(id, next);
    }
    return isDraft;
  }

  /** Of a long run: give the widest part in sight that is drawn from a fold, with its columns. */
  private partInSight({ origin, stepS, width }: Scale): { model: Segment["model"]; origin: number; width: number } | null {
    if (!this.past) return null;
    let widest = { model: null as Segment["model"], origin, width: 0 };
    for (const { fromS, toS, model } of this.segments) {
      const first = Math.max(origin, Math.round(fromS / stepS));
      const end = Math.min(origin + width, Math.round(toS / stepS));
      if (model && end - first > widest.width) widest = { model, origin: first, width: end - first };
    }
    return widest;
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

  private clear(width: number, height: number): void {
    this.ctx.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const { canvas } of [this.ctx, this.spare]) {
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
    }
  }

  private draw(lane: Lane, layout: Layout, scale: Scale, x0: number, x1: number): void {
    const { ctx } = this;
    if (!lane.node || x1 <= x0) return;
    this.top = Math.round((lane.y - layout.scrollY) * scale.ratio);
    this.height = Math.max(1, Math.round(lane.height * scale.ratio));
    if (this.top + this.height < 0 || this.top > this.canvas.height) return;
    ctx.save();
    ctx.beginPath();
    ctx.rect(x0, this.top, x1 - x0, this.height);
    ctx.clip();
    ctx.clearRect(x0, this.top, x1 - x0, this.height);
    if (this.past && lane.worker !== null) this.drawParts(lane, this.past, scale, x0, x1);
    else this.drawTrack(lane.node.track, lane, scale, x0, x1);
    ctx.restore();
  }

  private drawTrack(track: SpanTrack, { id }: Lane, scale: Scale, x0: number, x1: number): void {
    this.track = track;
    this.isParted = numInSight(track, scale) * PARTED_FROM < scale.width;
    scanColumns(track, scale.origin, scale.stepS, x0, x1, this.merged.get(id) ?? 0, this.sink);
    this.fillStacks();
  }

  /** Draw a lane of a long run: each part of the time line from what is known there. */
  private drawParts(lane: Lane, past: PastStore, scale: Scale, x0: number, x1: number): void {
    const column = (atS: number) => Math.min(x1, Math.max(x0, Math.round(atS / scale.stepS) - scale.origin));
    for (const { fromS, toS, model } of this.segments) {
      const [from, to] = [column(fromS), column(toS)];
      if (to <= from) continue;
      const track = model?.nodes.get(lane.id)?.track;
      if (track) this.drawTrack(track, lane, scale, from, to);
      else if (!model && lane.worker !== null) {
        scanTiles(past.tiles, Math.min(past.level + this.coarser, past.state.top), lane.worker, scale.origin, scale.stepS, from, to, this.sink.mixed);
        this.fillStacks();
        if (lane.node) this.drawTrack(lane.node.track, lane, scale, from, to); // the times in which it was lost
      }
    }
  }

  private readonly sink: ColumnSink = {
    full: (x, width, kind, span, isEnd) => {
      const { ctx, palette, top, height, track } = this;
      if (!palette || !track) return;
      ctx.fillStyle = (width >= TEXTURED_FROM ? palette.fills : palette.solids)[kind] as string | CanvasPattern;
      const hasGap = isEnd && this.isParted && track.iteration[span + 1] !== track.iteration[span]; // parts of one stay together
      ctx.fillRect(x, top, hasGap ? width - 1 : width, height);
      if (track.isSlow[span] === 1) {
        ctx.fillStyle = palette.stall;
        ctx.fillRect(x, top, width, Math.max(1, Math.round(height / 10)));
      }
    },
    mixed: (x, width, shares) => {
      const { top, height } = this;
      let covered = 0;
      let bottom = top + height;
      for (const kind of STACK_ORDER) {
        const share = shares[kind] as number;
        covered += share;
        const round = NEVER_HIDDEN.has(kind) && share > 0.001 ? Math.ceil : Math.round; // whole pixels are crisp, and quick
        const next = top + height - round(Math.min(1, covered) * height);
        if (next < bottom) this.stacks[kind]?.push(x, next, width, bottom - next);
        bottom = next;
      }
    },
  };

  /** Fill the stacks of a lane, colour by colour. */
  private fillStacks(): void {
    const { ctx, palette } = this;
    if (!palette) return;
    this.stacks.forEach((rects, kind) => {
      if (rects.length === 0) return;
      ctx.fillStyle = palette.solids[kind] as string;
      for (let i = 0; i < rects.length; i += 4) {
        ctx.fillRect(rects[i] as number, rects[i + 1] as number, rects[i + 2] as number, rects[i + 3] as number);
      }
      rects.length = 0;
    });
  }
}

function newContext(): CanvasRenderingContext2D {
  const ctx = document.createElement("canvas").getContext("2d");
  if (!ctx) throw new Error("this browser draws no canvas");
  return ctx;
}
