import type { RunModel } from "../store/model";
import type { Scale } from "./bars";
import type { Lane, Layout } from "./layout";
import type { Palette } from "./palette";
import type { Selection } from "./selection";

/** All that one frame of the timeline is drawn from; lengths in CSS pixels. */
export interface Frame {
  ctx: CanvasRenderingContext2D;
  model: RunModel;
  layout: Layout;
  palette: Palette;
  scale: Scale;
  nowS: number;
  isLive: boolean;
  cursorS: number | null;
  hover: Selection | null;
  selection: Selection | null;
  selectedNode: string | null;
}

/** Give the place of a time on the canvas. */
export function xOf(frame: Frame, atS: number): number {
  return frame.layout.left + (atS / frame.scale.stepS - frame.scale.origin) / frame.scale.ratio;
}

/** Give the seconds that a width stands for. */
export function secondsOf(frame: Frame, width: number): number {
  return width * frame.scale.ratio * frame.scale.stepS;
}

export function fromS(frame: Frame): number {
  return frame.scale.origin * frame.scale.stepS;
}

export function toS(frame: Frame): number {
  return (frame.scale.origin + frame.scale.width) * frame.scale.stepS;
}

/** Give the y of a lane's bar on the canvas. */
export function topOf(frame: Frame, lane: Lane): number {
  return lane.y - frame.layout.scrollY;
}

/** Whether any of a lane is seen, where they are scrolled. */
export function isInSight(frame: Frame, lane: Lane): boolean {
  const top = topOf(frame, lane);
  return top + lane.pitch > 0 && top < frame.layout.height;
}

/** The y at which the lanes end and the axis begins. */
export function axisTop(frame: Frame): number {
  return frame.layout.height - frame.layout.axis;
}

/** Draw a crisp vertical line of one CSS pixel. */
export function vertical(frame: Frame, x: number, top: number, bottom: number, width = 1): void {
  frame.ctx.fillRect(Math.round(x - width / 2), top, width, bottom - top);
}

/** Fill with a texture, whose tile is made of device pixels and moves with the lanes. */
export function fillTextured(frame: Frame, fill: string | CanvasPattern, x: number, y: number, width: number, height: number): void {
  const { ctx, layout, scale } = frame;
  const { ratio } = scale;
  ctx.save();
  ctx.setTransform(1, 0, 0, 1, Math.round(layout.left * ratio), 0);
  ctx.fillStyle = fill;
  ctx.fillRect((x - layout.left) * ratio, y * ratio, width * ratio, height * ratio);
  ctx.restore();
}

/** Keep what is drawn next inside the plot (without gutters and axis). */
export function clipPlot(frame: Frame, draw: () => void): void {
  const { ctx, layout } = frame;
  ctx.save();
  ctx.beginPath();
  ctx.rect(layout.left, 0, layout.width - layout.left - layout.right, axisTop(frame));
  ctx.clip();
  draw();
  ctx.restore();
}

/** Keep what is drawn next between two times; outside of what is seen, nothing is drawn. */
export function clipTimes(frame: Frame, lowS: number, highS: number, draw: () => void): void {
  if (highS <= fromS(frame) || lowS >= toS(frame)) return;
  const { ctx, layout } = frame;
  const left = Math.max(layout.left, lowS === -Infinity ? layout.left : xOf(frame, lowS));
  const right = Math.min(layout.width - layout.right, highS === Infinity ? layout.width : xOf(frame, highS));
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, 0, Math.max(0, right - left), layout.height);
  ctx.clip();
  draw();
  ctx.restore();
}

const MOST_WIDTHS = 4_000; // that are kept; sentences with times in them are many
const widths = new Map<string, Map<string, number>>(); // by font, then by text
let numWidths = 0;

/** Give the width of a text in the font that is set; each is measured once. */
export function widthOf(ctx: CanvasRenderingContext2D, text: string): number {
  const { font } = ctx;
  const old = widths.get(font)?.get(text);
  if (old !== undefined) return old;
  if (numWidths >= MOST_WIDTHS) {
    widths.clear();
    numWidths = 0;
  }
  const known = widths.get(font) ?? new Map<string, number>();
  widths.set(font, known);
  const { width } = ctx.measureText(text);
  known.set(text, width);
  numWidths += 1;
  return width;
}

/** Shorten a text to a width with an ellipsis; "" if not even the least number of its letters fit. */
export function fit(ctx: CanvasRenderingContext2D, text: string, width: number, least = 2): string {
  if (widthOf(ctx, text) <= width) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (widthOf(ctx, `${text.slice(0, middle)}…`) <= width) low = middle;
    else high = middle - 1;
  }
  return low < least ? "" : `${text.slice(0, low).trimEnd()}…`;
}
