/** Synchronisation: updates of the server, windows that were or are predicted, pushes that are planned. */

import { formatSeconds } from "../format";
import { axisTop, fillTextured, fromS, secondsOf, topOf, toS, vertical, xOf, type Frame } from "./frame";
import type { PastStore } from "../store/past";
import { BINS } from "../store/tiles";
import { plotWidth, type Lane } from "./layout";

const TICKS_APART = 3; // CSS pixels for each update, below which a histogram is drawn
const LINES_APART = 14; // CSS pixels for each synchronisation, above which its line crosses all lanes
const WINDOWS_APART = 12;
const PLANS_OPEN = 4; // predictions that may be open at one time
const UPDATES = 4; // their row among the figures of a tile

/** Draw the updates that were applied and the windows that have passed; the plot is clipped. */
export function drawPastSync(frame: Frame): void {
  const server = serverOf(frame);
  if (!server) return;
  drawUpdates(frame, server);
  drawWindows(frame, server);
}

/** Draw the number of updates of a long run where only an overview is known. */
export function drawOverview(frame: Frame, { tiles, level }: PastStore): void {
  const server = serverOf(frame);
  if (!server) return;
  const rates: { fromS: number; toS: number; perS: number }[] = [];
  let most = 0;
  tiles.scan(level, Math.max(0, fromS(frame)), toS(frame), (tile, bin, startS, endS) => {
    const perS = (tile.figures[UPDATES * BINS + bin] as number) / 2 ** tile.level;
    most = Math.max(most, perS);
    rates.push({ fromS: startS, toS: endS, perS });
  });
  const top = topOf(frame, server);
  frame.ctx.fillStyle = frame.palette.inkQuiet;
  for (const rate of rates) {
    const left = Math.round(xOf(frame, rate.fromS));
    const height = Math.round((rate.perS / most) * server.height);
    if (height > 0) frame.ctx.fillRect(left, top + server.height - height, Math.round(xOf(frame, rate.toS)) - left, height);
  }
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
    drawHistogram(frame, top, server.height);
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

/** Draw the number of updates for each few pixels, where single ones would run together. */
function drawHistogram(frame: Frame, top: number, height: number): void {
  const { aggregates } = frame.model;
  const { ctx, layout, palette } = frame;
  const width = 3;
  const stepS = secondsOf(frame, width);
  const first = Math.floor(fromS(frame) / stepS);
  const num = Math.ceil(plotWidth(layout) / width) + 1; // at least one: a window can be narrower than the gutters
  const counts = new Array<number>(num).fill(0);
  let most = 1;
  let index = aggregates.indexAt(first * stepS);
  for (let i = 0; i < num; i++) {
    const next = aggregates.indexAt((first + i + 1) * stepS);
    counts[i] = next - index;
    most = Math.max(most, next - index);
    index = next;
  }
  ctx.fillStyle = palette.inkQuiet;
  counts.forEach((count, i) => {
    const part = (count / most) * height;
    if (count > 0) ctx.fillRect(xOf(frame, (first + i) * stepS), top + height - part, width - 0.5, part);
  });
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
