/** The bars of all lanes, kept as a picture: a pan moves it and draws only what came into sight. */

import { Kind, type SpanTrack } from "../store/spans";
import { mergedColumns, scanColumns, type ColumnSink } from "./columns";
import type { Lane, Layout } from "./layout";
import { PERIOD, type Palette } from "./palette";

/** From time to device pixels: column x of the plot begins at (origin + x) * stepS. */
export interface Scale {
  stepS: number; // seconds to a device pixel
  origin: number; // whole columns between time 0 and the plot's left edge
  width: number; // columns of the plot
  ratio: number; // device pixels to a CSS pixel
}

const STACK_ORDER = [Kind.compute, Kind.overlapped, Kind.evaluation, Kind.up, Kind.down, Kind.wait, Kind.lost] as const;
const PARTED_FROM = 6; // device pixels for each span, above which one is parted from the next

/** Draws into its own canvas; `paint` brings it up to date. */
export class BarsLayer {
  readonly canvas = document.createElement("canvas");
  private readonly ctx = this.canvas.getContext("2d");
  private drawn: { scale: Scale; layout: Layout; palette: Palette; keys: string } | null = null;
  private readonly merged = new Map<string, number>(); // lane -> columns drawn as one
  private track: SpanTrack | null = null;
  private top = 0;
  private height = 0;
  private palette: Palette | null = null;
  private isParted = false; // spans of this lane are wide enough to be told apart

  /** Bring the picture up to date; it shows the plot alone, in device pixels. */
  paint(scale: Scale, layout: Layout, palette: Palette): void {
    if (!this.ctx) return;
    const keys = layout.lanes.map(({ id, node, y, height }) => `${id}${node ? 1 : 0}:${y}:${height}`).join();
    const height = Math.max(1, Math.round((layout.height - layout.axis) * scale.ratio));
    const { drawn } = this;
    this.palette = palette;
    this.moveTextures(scale, palette);
    const changedX = this.takeChanges(layout, scale);
    const hasMergedOtherwise = this.chooseMerging(layout, scale);
    const mayMove =
      !hasMergedOtherwise &&
      drawn?.scale.stepS === scale.stepS &&
      drawn.scale.width === scale.width &&
      drawn.palette === palette &&
      drawn.layout.scrollY === layout.scrollY &&
      drawn.keys === keys &&
      this.canvas.height === height &&
      Math.abs(scale.origin - drawn.scale.origin) < scale.width;
    this.drawn = { scale, layout, palette, keys };
    if (!mayMove) {
      this.canvas.width = scale.width;
      this.canvas.height = height;
      this.draw(scale, layout, 0, scale.width);
      return;
    }
    const shift = scale.origin - drawn.scale.origin;
    if (shift !== 0) this.move(-shift);
    if (shift > 0) this.draw(scale, layout, scale.width - shift, scale.width);
    if (shift < 0) this.draw(scale, layout, 0, -shift);
    if (changedX < scale.width) this.draw(scale, layout, Math.max(0, changedX), scale.width);
  }

  /** Choose for each lane how many columns are drawn as one; gives whether any choice has changed. */
  private chooseMerging(layout: Layout, scale: Scale): boolean {
    let hasChanged = false;
    for (const { id, node } of layout.lanes) {
      if (!node) continue;
      const old = this.merged.get(id) ?? 0;
      const next = mergedColumns(node.track, scale.origin, scale.stepS, scale.width, old);
      if (next !== old) hasChanged = true;
      this.merged.set(id, next);
    }
    return hasChanged;
  }

  /** Give the first column with spans that are not in the picture yet. */
  private takeChanges(layout: Layout, scale: Scale): number {
    let fromS = Infinity;
    for (const { node } of layout.lanes) {
      if (!node) continue;
      fromS = Math.min(fromS, node.track.changedFromS);
      node.track.changedFromS = Infinity;
    }
    return fromS === Infinity ? Infinity : Math.floor(fromS / scale.stepS) - scale.origin;
  }

  private moveTextures(scale: Scale, palette: Palette): void {
    const period = Math.round(PERIOD * scale.ratio);
    const shift = new DOMMatrix().translate(-(((scale.origin % period) + period) % period), 0);
    for (const fill of [...palette.fills, palette.forecast]) if (typeof fill !== "string") fill.setTransform(shift);
  }

  private move(byX: number): void {
    const { ctx, canvas } = this;
    if (!ctx) return;
    ctx.globalCompositeOperation = "copy";
    ctx.drawImage(canvas, byX, 0);
    ctx.globalCompositeOperation = "source-over";
  }

  private draw(scale: Scale, layout: Layout, x0: number, x1: number): void {
    const { ctx } = this;
    if (!ctx || x1 <= x0) return;
    ctx.save();
    ctx.beginPath();
    ctx.rect(x0, 0, x1 - x0, this.canvas.height);
    ctx.clip();
    ctx.clearRect(x0, 0, x1 - x0, this.canvas.height);
    for (const lane of layout.lanes) {
      if (!lane.node || lane.node.track.length === 0) continue;
      this.setLane(lane, layout, scale);
      if (this.top + this.height < 0 || this.top > this.canvas.height) continue;
      const { track } = lane.node;
      this.track = track;
      const num = track.numStartingBefore((scale.origin + scale.width) * scale.stepS) - track.firstEndingAfter(scale.origin * scale.stepS);
      this.isParted = num * PARTED_FROM < scale.width;
      scanColumns(track, scale.origin, scale.stepS, x0, x1, this.merged.get(lane.id) ?? 0, this.sink);
    }
    ctx.restore();
  }

  private setLane(lane: Lane, layout: Layout, scale: Scale): void {
    this.top = Math.round((lane.y - layout.scrollY) * scale.ratio);
    this.height = Math.max(1, Math.round(lane.height * scale.ratio));
  }

  private readonly sink: ColumnSink = {
    full: (x, width, kind, span, isEnd) => {
      const { ctx, palette, top, height, track } = this;
      if (!ctx || !palette || !track) return;
      ctx.fillStyle = (width > 1 ? palette.fills : palette.solids)[kind] as string | CanvasPattern;
      ctx.fillRect(x, top, this.isParted && isEnd ? width - 1 : width, height);
      if (track.isSlow[span] === 1) {
        ctx.fillStyle = palette.stall;
        ctx.fillRect(x, top, width, Math.max(1, Math.round(height / 10)));
      }
    },
    mixed: (x, width, shares) => {
      const { ctx, palette, top, height } = this;
      if (!ctx || !palette) return;
      let bottom = top + height;
      for (const kind of STACK_ORDER) {
        const part = (shares[kind] as number) * height;
        if (part < 0.05) continue;
        ctx.fillStyle = palette.solids[kind] as string;
        ctx.fillRect(x, bottom - part, width, part);
        bottom -= part;
      }
    },
  };
}
