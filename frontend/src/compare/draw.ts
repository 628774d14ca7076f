/** Paints a picture into a plot whose axes uPlot has drawn. */

import type uPlot from "uplot";
import type { Colours } from "./figures";
import type { Band, Picture, Trace } from "./picture";
import { DASH_LENGTHS, MARKER_PATHS } from "./styles";

const NUM_MARKERS = 8; // of a line, about
const CAP = 3; // half of the bar at the end of an interval, px

/** The marker of every so many points; lines have theirs at different ones, where they would lie over each other. */
export function markedPoints(num: number, rank: number): number[] {
  const every = Math.max(1, Math.ceil(num / NUM_MARKERS));
  const marked: number[] = [];
  for (let point = rank % every; point < num; point += every) marked.push(point);
  return marked;
}

export function drawPicture(plot: uPlot, picture: Picture, colours: Colours, font: string, active: number | null): void {
  const { ctx, bbox } = plot;
  const unit = window.devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineJoin = "round";
  const pen = { ctx, unit, left: (x: number) => plot.valToPos(x, "x", true), top: (y: number) => plot.valToPos(y, "y", true) };
  for (const band of picture.bands) drawBand(pen, band);
  const order = picture.traces.map((_, rank) => rank).filter((rank) => rank !== active);
  if (active !== null) order.push(active); // over the others
  for (const rank of order) {
    const trace = picture.traces[rank];
    if (trace) drawTrace(pen, trace, rank, rank === active);
  }
  if (picture.level) drawLevel(pen, picture.level, bbox, colours, font);
  ctx.restore();
}

interface Pen {
  ctx: CanvasRenderingContext2D;
  unit: number; // canvas px of a CSS px
  left: (x: number) => number;
  top: (y: number) => number;
}

function drawBand({ ctx, unit, left, top }: Pen, { x, low, high, fill, edge }: Band): void {
  const path = (values: readonly number[]) => values.map((value, i) => [left(x[i] ?? NaN), top(value)] as const);
  const [lower, upper] = [path(low), path(high)];
  ctx.beginPath();
  for (const [a, b] of [...lower, ...upper.toReversed()]) ctx.lineTo(a, b);
  ctx.fillStyle = fill;
  ctx.fill();
  if (edge === null) return;
  ctx.strokeStyle = edge;
  ctx.lineWidth = 0.75 * unit;
  for (const one of [lower, upper]) {
    ctx.beginPath();
    for (const [a, b] of one) ctx.lineTo(a, b);
    ctx.stroke();
  }
}

function drawTrace(pen: Pen, trace: Trace, rank: number, isActive: boolean): void {
  const { ctx, unit, left, top } = pen;
  const { x, y, line, marker, interval, colour } = trace;
  ctx.strokeStyle = ctx.fillStyle = colour;
  if (line) {
    ctx.lineWidth = (line.width + (isActive ? 1.25 : 0)) * unit;
    ctx.setLineDash(DASH_LENGTHS[line.dash].map((length) => length * unit));
    ctx.beginPath();
    let isPenUp = true;
    x.forEach((at, i) => {
      const value = y[i];
      if (value === null || value === undefined) isPenUp = true;
      else {
        if (isPenUp) ctx.moveTo(left(at), top(value));
        else ctx.lineTo(left(at), top(value));
        isPenUp = false;
      }
    });
    ctx.stroke();
    ctx.setLineDash([]);
  }
  if (interval) drawInterval(pen, left(x[0] ?? NaN), interval);
  if (!marker) return;
  const shape = new Path2D(MARKER_PATHS[marker.symbol]);
  for (const i of line ? markedPoints(x.length, rank) : x.keys()) {
    const value = y[i];
    if (value === null || value === undefined) continue;
    const before = ctx.getTransform();
    ctx.translate(left(x[i] ?? NaN), top(value));
    ctx.scale(marker.scale * unit, marker.scale * unit);
    ctx.fill(shape);
    ctx.setTransform(before);
  }
}

function drawInterval({ ctx, unit, top }: Pen, at: number, [low, high]: readonly [number, number]): void {
  const [bottom, upper, cap] = [top(low), top(high), CAP * unit];
  ctx.lineWidth = unit;
  ctx.beginPath();
  ctx.moveTo(at, bottom);
  ctx.lineTo(at, upper);
  for (const end of [bottom, upper]) {
    ctx.moveTo(at - cap, end);
    ctx.lineTo(at + cap, end);
  }
  ctx.stroke();
}

function drawLevel({ ctx, unit, top }: Pen, level: { at: number; word: string }, bbox: uPlot.BBox, colours: Colours, font: string): void {
  const y = Math.round(top(level.at)) + 0.5;
  if (!(y >= bbox.top && y <= bbox.top + bbox.height)) return;
  ctx.strokeStyle = ctx.fillStyle = colours.quiet;
  ctx.lineWidth = unit;
  ctx.setLineDash([2 * unit, 4 * unit]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.font = font;
  const isHigh = y - bbox.top < 16 * unit; // above the line there is no room for the word
  ctx.textBaseline = isHigh ? "top" : "bottom";
  ctx.textAlign = "left"; // where no curve has come to it yet
  const place = [level.word, bbox.left + 4 * unit, isHigh ? y + 3 * unit : y - 2 * unit] as const;
  ctx.strokeStyle = colours.surface; // curves that cross the word stay out of its letters
  ctx.lineWidth = 4 * unit;
  ctx.strokeText(...place);
  ctx.fillText(...place);
}
