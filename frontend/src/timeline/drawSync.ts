/** Synchronisation: updates of the server, windows that were or are predicted, pushes that are planned. */

import { formatSeconds } from "../format";
import { axisTop, fillTextured, fromS, secondsOf, topOf, toS, vertical, xOf, type Frame } from "./frame";
import type { RunModel } from "../store/model";
import type { PastStore } from "../store/past";
import { BINS } from "../store/tiles";
import { plotWidth, type Lane } from "./layout";

const TICKS_APART = 3; // CSS pixels for each update, below which a histogram is drawn
const LINES_APART = 14; // CSS pixels for each synchronisation, above which its line crosses all lanes
const WINDOWS_APART = 12;
const PLANS_OPEN = 4; // predictions that may be open at one time
const BAR = 3; // CSS pixels of a bar of the histogram
const UPDATES = 4; // their row among the figures of a tile

/** Draw the updates that were applied and the windows that have passed; the plot is clipped. */
export function drawPastSync(frame: Frame): void {
  const server = serverOf(frame);
  if (!server) return;
  drawUpdates(frame, server);
  drawWindows(frame, server);
}

/** Draw the server's lane of a long run of which an overview is in sight: numbers of updates alone, from end to end. */
export function drawPastRates(frame: Frame, { segments, tiles, level }: PastStore): void {
  const server = serverOf(frame);
  if (!server) return;
  const rates = new Rates(frame);
  for (const segment of segments) {
    const lowS = Math.max(0, segment.fromS, fromS(frame));
    const highS = Math.min(segment.toS, toS(frame));
    if (highS <= lowS) continue;
    if (segment.model) rates.addUpdates(segment.model.aggregates, lowS, highS);
    else
      tiles.scan(level, lowS, highS, (tile, bin, startS, endS) => {
        rates.add(startS, endS, ((tile.figures[UPDATES * BINS + bin] as number) / 2 ** tile.level) * (endS - startS));
      });
  }
  rates.draw(topOf(frame, server), server.height);
}

function serverOf(frame: Frame): Lane | undefined {
  return frame.layout.lanes.find(({ id }) => id === "server");
}

function drawUpdates(frame: Frame, server: Lane): void {
  const { aggregates } = frame.model;
  const { ctx, palette, layout } = frame;
  const first = aggregates.indexAt(fromS(frame));
  const end = aggregates.indexAt(toS(frame));
  const plot = layout.width - layout.left - layout.right;
  const top = topOf(frame, server);
  if ((end - first) * TICKS_APART > plot) {
    const rates = new Rates(frame);
    rates.addUpdates(aggregates, fromS(frame), toS(frame));
    rates.draw(top, server.height);
    return;
  }
  const mayCross = (end - first) * LINES_APART < plot;
  for (let i = first; i < end; i++) {
    const x = xOf(frame, aggregates.at[i] as number);
    const isGlobal = aggregates.get(i, "numPushes") > 1;
    if (isGlobal && mayCross) {
      ctx.fillStyle = palette.lineStrong;
      ctx.globalAlpha = 0.55;
      vertical(frame, x, top + server.height, axisTop(frame));
      ctx.globalAlpha = 1;
    }
    ctx.fillStyle = palette.ink;
    const height = isGlobal ? server.height : Math.max(3, server.height * 0.45);
    vertical(frame, x, top + server.height - height, top + server.height, isGlobal ? 2 : 1);
  }
}

/** The number of updates for each few pixels, where single ones would run together. */
class Rates {
  private readonly stepS: number;
  private readonly first: number; // of the bars, which lie on the time grid
  private readonly counts: Float64Array;

  constructor(private readonly frame: Frame) {
    this.stepS = secondsOf(frame, BAR);
    this.first = Math.floor(fromS(frame) / this.stepS);
    this.counts = new Float64Array(Math.ceil(plotWidth(frame.layout) / BAR) + 1); // at least one: a window can be narrower than the gutters
  }

  /** Add updates that are spread evenly over a stretch. */
  add(startS: number, endS: number, num: number): void {
    const left = Math.max(0, startS / this.stepS - this.first);
    const right = Math.min(this.counts.length, endS / this.stepS - this.first);
    const per = (num * this.stepS) / (endS - startS);
    for (let bar = Math.floor(left); bar < right; bar++) {
      this.counts[bar] = (this.counts[bar] as number) + per * (Math.min(right, bar + 1) - Math.max(left, bar));
    }
  }

  /** Add the updates of a stretch, one by one. */
  addUpdates(aggregates: RunModel["aggregates"], lowS: number, highS: number): void {
    let index = aggregates.indexAt(lowS);
    for (let bar = Math.floor(lowS / this.stepS) - this.first; bar < this.counts.length; bar++) {
      const untilS = Math.min(highS, (this.first + bar + 1) * this.stepS);
      const next = aggregates.indexAt(untilS);
      if (bar >= 0) this.counts[bar] = (this.counts[bar] as number) + next - index;
      index = next;
      if (untilS >= highS) return;
    }
  }

  /** Draw a bar for each, as high as its part of the largest. */
  draw(top: number, height: number): void {
    const { frame, first, stepS, counts } = this;
    const { ctx, palette } = frame;
    const most = counts.reduce((a, b) => Math.max(a, b), 0);
    ctx.fillStyle = palette.inkQuiet;
    counts.forEach((count, i) => {
      const part = Math.min(1, count / most) * height;
      if (count > 0) ctx.fillRect(xOf(frame, (first + i) * stepS), top + height - part, BAR - 0.5, part);
    });
  }
}

/** Draw the outlines of the windows that have passed, and where forecast and event differ. */
function drawWindows(frame: Frame, server: Lane): void {
  const { windows } = frame.model;
  const first = Math.max(0, windows.indexAt(fromS(frame)) - 2);
  const end = windows.indexAt(toS(frame));
  const { ctx, palette, layout } = frame;
  const plot = layout.width - layout.left - layout.right;
  if ((end - first) * WINDOWS_APART > plot) return;
  const top = topOf(frame, server);
  const bottom = axisTop(frame);
  const isWide = (end - first) * WINDOWS_APART * 3 < plot;
  for (let i = first; i < end; i++) {
    const actualS = windows.get(i, "actualS");
    if (!Number.isFinite(actualS)) continue;
    const low = Math.round(xOf(frame, windows.get(i, "lowS"))) + 0.5;
    const high = Math.max(low + 2, Math.round(xOf(frame, windows.get(i, "highS"))) + 0.5);
    ctx.strokeStyle = palette.inkQuiet;
    ctx.lineWidth = 1;
    ctx.strokeRect(low, top + 0.5, high - low, server.height - 1);
    if (isWide) {
      ctx.globalAlpha = 0.35;
      ctx.strokeRect(low, top + server.height + 0.5, high - low, bottom - top - server.height);
      ctx.globalAlpha = 1;
    }
    if (isWide) drawDifference(frame, xOf(frame, windows.get(i, "cutS")), xOf(frame, actualS), top, server.height);
  }
}

/** Join the predicted with the actual instant; a cross says that the event fell outside of its window. */
function drawDifference(frame: Frame, predicted: number, actual: number, top: number, height: number): void {
  const { ctx, palette } = frame;
  const middle = Math.round(top + height / 2);
  ctx.fillStyle = palette.ink;
  ctx.beginPath();
  ctx.moveTo(predicted - 3, top);
  ctx.lineTo(predicted + 3, top);
  ctx.lineTo(predicted, top + 4);
  ctx.fill();
  if (Math.abs(actual - predicted) < 2) return;
  ctx.fillRect(Math.min(actual, predicted), middle, Math.abs(actual - predicted), 1);
  vertical(frame, predicted, top, middle + 1);
}

/** Draw the window of the next synchronisation, and when each worker is expected to push. */
export function drawForecast(frame: Frame): void {
  const server = serverOf(frame);
  if (!server) return;
  const { windows, plan } = frame.model;
  const last = windows.length - 1;
  if (!plan || last < 0 || !Number.isNaN(windows.get(last, "actualS"))) return;
  const { ctx, palette, nowS } = frame;
  const top = topOf(frame, server);
  const bottom = axisTop(frame);
  const low = xOf(frame, windows.get(last, "lowS"));
  const high = Math.max(low + 3, xOf(frame, windows.get(last, "highS")));
  const cutS = windows.get(last, "cutS");
  fillTextured(frame, palette.forecast, low, top, high - low, bottom - top);
  ctx.strokeStyle = palette.inkQuiet;
  ctx.lineWidth = 1;
  ctx.setLineDash([3, 3]);
  ctx.strokeRect(Math.round(low) + 0.5, top + 0.5, Math.round(high - low), bottom - top);
  const cut = Math.round(xOf(frame, cutS)) + 0.5;
  ctx.strokeStyle = palette.ink;
  ctx.beginPath();
  ctx.moveTo(cut, top);
  ctx.lineTo(cut, bottom);
  ctx.stroke();
  ctx.setLineDash([]);
  for (const push of plan.pushes) {
    const lane = frame.layout.lanes.find(({ worker }) => worker === push.worker);
    if (lane && lane.height >= 6) drawPlannedPush(frame, lane, push);
  }
  const text = cutS >= nowS ? `predicted in ${formatSeconds(cutS - nowS)}` : `overdue by ${formatSeconds(nowS - cutS)}`;
  ctx.font = `11px ${palette.face}`;
  const width = ctx.measureText(text).width;
  const right = frame.layout.width - frame.layout.right - 4;
  const x = Math.min(high + 6, right - width);
  if (server.height < 14 || x < xOf(frame, nowS)) return;
  plate(frame, text, x, top + server.height / 2, width);
}

/** Draw, while the run is played back, the windows that had been predicted by then and had not come. */
export function drawForecastAt(frame: Frame, headS: number): void {
  const server = serverOf(frame);
  if (!server) return;
  const { windows } = frame.model;
  const { ctx, palette } = frame;
  const top = topOf(frame, server);
  const bottom = axisTop(frame);
  const end = windows.indexAt(headS);
  for (let row = Math.max(0, end - PLANS_OPEN); row < end; row++) {
    const actualS = windows.get(row, "actualS");
    if (!(actualS > headS || Number.isNaN(actualS))) continue;
    const isNewest = windows.get(row, "plannedS") <= headS; // else only the first plan was made by then
    const low = xOf(frame, windows.get(row, isNewest ? "lowS" : "firstLowS"));
    const high = Math.max(low + 3, xOf(frame, windows.get(row, isNewest ? "highS" : "firstHighS")));
    fillTextured(frame, palette.forecast, low, top, high - low, bottom - top);
    ctx.fillStyle = palette.ink;
    vertical(frame, xOf(frame, windows.get(row, isNewest ? "cutS" : "firstCutS")), top, bottom);
  }
}

function drawPlannedPush(frame: Frame, lane: Lane, push: { expected_at_s: number; low_at_s: number; high_at_s: number }): void {
  const { ctx, palette } = frame;
  const middle = Math.round(topOf(frame, lane) + lane.height / 2);
  const half = Math.min(5, lane.height / 2);
  const low = xOf(frame, push.low_at_s);
  const high = xOf(frame, push.high_at_s);
  ctx.fillStyle = palette.ink;
  ctx.fillRect(low, middle, Math.max(1, high - low), 1);
  vertical(frame, xOf(frame, push.expected_at_s), middle - half, middle + half + 1, 2);
}

/** Write on a small plate, so that it can be read on any ground. */
export function plate(frame: Frame, text: string, x: number, middle: number, width: number): void {
  const { ctx, palette } = frame;
  ctx.fillStyle = palette.surface;
  ctx.globalAlpha = 0.9;
  ctx.fillRect(x - 3, middle - 8, width + 6, 16);
  ctx.globalAlpha = 1;
  ctx.fillStyle = palette.ink;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  ctx.fillText(text, x, middle + 0.5);
}
