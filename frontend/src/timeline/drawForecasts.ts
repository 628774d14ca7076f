/** In each worker's lane: when its running iteration is forecast to end, and how the past forecasts held. */

import { runningForecast } from "../store/forecast";
import type { ForecastTrack, IterationForecast } from "../store/forecastTrack";
import { addRail, LEAST_HEIGHT } from "./drawMisses";
import { fillTextured, fromS, isInSight, secondsOf, topOf, toS, vertical, xOf, type Frame } from "./frame";
import type { Lane } from "./layout";

const ITERATIONS_APART = 12; // CSS pixels for each iteration, above which its forecast stays beside it
const MOST = 1500; // past forecasts in a frame; with more in sight none is drawn
const STRIP = 5; // height of a past window, under the bar where there is room

/** Draw them over the bars; the plot is clipped. At most one window for each lane unless single iterations are wide. */
export function drawForecasts(frame: Frame): void {
  const lanes = frame.layout.lanes.filter((lane) => lane.node && lane.worker !== null && isInSight(frame, lane));
  drawPast(frame, lanes);
  for (const lane of lanes) {
    const running = lane.node && runningForecast(frame.model, lane.node);
    if (running && !isPlanned(frame, lane, running)) drawRunning(frame, lane, running);
  }
}

/** The plan of the round says the same of this very iteration, with marks of its own. */
function isPlanned({ model }: Frame, { worker }: Lane, { iteration }: IterationForecast): boolean {
  const { plan } = model;
  return plan?.pushes.some((push) => push.worker === worker && push.iteration === iteration) ?? false;
}

/** Draw the window of a running iteration, and its expected end as a thin mark. */
function drawRunning(frame: Frame, lane: Lane, { lowS, highS, expectedS }: IterationForecast): void {
  if (highS < fromS(frame) || lowS > toS(frame)) return;
  const { ctx, palette } = frame;
  const top = topOf(frame, lane);
  const low = Math.round(xOf(frame, lowS));
  const high = Math.max(low + 2, Math.round(xOf(frame, highS)));
  if (high - low >= 6) fillTextured(frame, palette.forecast, low, top, high - low, lane.height);
  if (high - low >= 4 && lane.height >= LEAST_HEIGHT) {
    ctx.strokeStyle = palette.inkQuiet;
    ctx.lineWidth = 1;
    ctx.setLineDash([3, 3]);
    ctx.strokeRect(low + 0.5, top + 0.5, high - low - 1, lane.height - 1);
    ctx.setLineDash([]);
  }
  ctx.fillStyle = palette.ink;
  vertical(frame, xOf(frame, expectedS), top, top + lane.height);
}

/** Draw the windows that have passed: each where iterations are wide, else how many were missed. */
function drawPast(frame: Frame, lanes: readonly Lane[]): void {
  const rows = lanes.flatMap((lane) => {
    if (!lane.node || lane.height < LEAST_HEIGHT) return [];
    const { forecasts } = lane.node;
    const first = Math.max(0, forecasts.indexAt(fromS(frame)) - 1);
    const end = forecasts.indexAt(toS(frame));
    return end > first ? [{ lane, forecasts, first, end, isEach: isWide(frame, forecasts, first, end) }] : [];
  });
  const isFew = rows.reduce((sum, { first, end, isEach }) => sum + (isEach ? end - first : 0), 0) <= MOST;
  const { ctx, palette } = frame;
  const outlines = new Path2D();
  const rails = new Path2D();
  const marks = new Path2D();
  for (const { lane, forecasts, first, end, isEach } of rows) {
    if (!isEach) addRail(frame, lane, forecasts, first, end, rails, marks);
    else if (isFew) for (let i = first; i < end; i++) addPast(frame, lane, forecasts.at(i), outlines, marks);
  }
  ctx.strokeStyle = palette.inkQuiet;
  ctx.lineWidth = 1;
  ctx.stroke(outlines);
  ctx.fillStyle = palette.inkQuiet;
  ctx.fill(rails);
  ctx.fillStyle = palette.ink;
  ctx.fill(marks);
}

/** Tell whether iterations in sight are wide enough for a window each. */
function isWide(frame: Frame, { started }: ForecastTrack, first: number, end: number): boolean {
  if (end - first < 2) return true;
  const lengthS = (started[end - 1] as number) - (started[first] as number);
  return lengthS >= (end - 1 - first) * secondsOf(frame, ITERATIONS_APART);
}

/** Add the outline of a window, a mark at the expected end, and a line up to an end that fell outside. */
function addPast(
  frame: Frame,
  lane: Lane,
  { lowS, highS, expectedS, endedS }: IterationForecast,
  outlines: Path2D,
  marks: Path2D,
): void {
  if (!Number.isFinite(endedS)) return;
  const hasRoom = lane.pitch - lane.height >= STRIP;
  const top = topOf(frame, lane) + lane.height - (hasRoom ? 0 : STRIP);
  const low = Math.round(xOf(frame, lowS));
  const high = Math.max(low + 2, Math.round(xOf(frame, highS)));
  outlines.rect(low + 0.5, top + 0.5, high - low - 1, STRIP - 1);
  marks.rect(Math.round(xOf(frame, expectedS) - 0.5), top, 1, hasRoom ? STRIP + 2 : STRIP);
  if (endedS >= lowS && endedS <= highS) return;
  const ended = Math.round(xOf(frame, endedS));
  const edge = endedS < lowS ? low : high;
  marks.rect(Math.min(edge, ended), top + 2, Math.max(1, Math.abs(ended - edge)), 1);
}
