/** The forecast of the next synchronisation, and how the past ones held. */

import { formatPercent, formatSeconds, plural, splitSeconds } from "../format";
import { pool, WARM_UP, type IterationForecast, type Score } from "./forecastTrack";
import { outcomeOf, type Outcome } from "./figures";
import type { NodeModel, RunModel } from "./model";

/** What is predicted for the next synchronisation. */
export interface Forecast {
  version: number;
  cutS: number;
  lowS: number;
  highS: number;
  idle: number;
  reason: string;
}

/** Give the newest prediction that has not come true yet, or null. */
export function nextForecast(model: RunModel): Forecast | null {
  const { windows, plan } = model;
  const row = windows.length - 1;
  if (!plan || row < 0 || !Number.isNaN(windows.get(row, "actualS"))) return null;
  return {
    version: windows.get(row, "version"),
    cutS: windows.get(row, "cutS"),
    lowS: windows.get(row, "lowS"),
    highS: windows.get(row, "highS"),
    idle: windows.get(row, "idle"),
    reason: plan.reason,
  };
}

/** Give the newest prediction whose event has come, or null. */
export function lastOutcome(model: RunModel): Outcome | null {
  for (let row = model.windows.length - 1; row >= 0; row--) {
    if (Number.isFinite(model.windows.get(row, "actualS"))) return outcomeOf(model, row);
  }
  return null;
}

/** Give the mean seconds between the last few synchronisations, or null while there are none. */
export function roundLength({ aggregates }: RunModel): number | null {
  const first = Math.max(0, aggregates.length - 12);
  const num = aggregates.length - 1 - first;
  return num > 0 ? ((aggregates.at[aggregates.length - 1] as number) - (aggregates.at[first] as number)) / num : null;
}

/** How the predictions of the run have held so far. */
export interface TrackRecord {
  num: number;
  numCovered: number;
  meanErrorS: number; // mean of the absolute error
}

const records = new WeakMap<RunModel, TrackRecord & { row: number }>();

/** Give the record over all predictions that were decided; O(1) amortised, since only new ones are looked at. */
export function trackRecord(model: RunModel): TrackRecord {
  if (model.summary) {
    const { num, num_covered: numCovered, mean_error_s: meanErrorS } = model.summary.windows;
    return { num, numCovered, meanErrorS: meanErrorS ?? 0 };
  }
  const record = records.get(model) ?? { num: 0, numCovered: 0, meanErrorS: 0, row: 0 };
  for (; record.row < model.windows.length; record.row++) {
    const actualS = model.windows.get(record.row, "actualS");
    if (Number.isNaN(actualS)) break;
    if (actualS === Infinity) continue;
    const { errorS, isCovered } = outcomeOf(model, record.row);
    record.num += 1;
    record.numCovered += isCovered ? 1 : 0;
    record.meanErrorS += (Math.abs(errorS) - record.meanErrorS) / record.num;
  }
  records.set(model, record);
  return record;
}

const FAST_S = 1.5; // rounds shorter than this are told by their length: a countdown would only flicker

/** Say when the next synchronisation is: "next synchronisation predicted in 2.1 s", "synchronises every 0.26 s". */
export function nextText(model: RunModel, next: Forecast, nowS: number): string {
  const everyS = roundLength(model);
  const lateS = nowS - next.cutS;
  if (lateS > Math.max(0.3, 2 * (next.highS - next.cutS))) return `synchronisation overdue by ${formatSeconds(lateS)}`;
  if (everyS !== null && everyS < FAST_S) return `synchronises every ${formatSeconds(everyS)}`;
  return lateS > 0 ? "next synchronisation predicted for now" : `next synchronisation predicted in ${formatSeconds(-lateS)}`;
}

/** Say how a prediction held: "12 ms late, inside its window". */
export function outcomeText({ errorS, isCovered }: Outcome): string {
  const away = Math.abs(errorS) < 0.0005 ? "as predicted" : `${formatSeconds(Math.abs(errorS))} ${errorS > 0 ? "late" : "early"}`;
  return `${away}, ${isCovered ? "inside" : "outside"} its window`;
}

/** Give the forecast of the iteration that a worker is in, or null where it is in none, or none was made. */
export function runningForecast(model: RunModel, node: NodeModel): IterationForecast | null {
  if (node.life !== "joined" || node.goneS !== null || model.finishedS !== null) return null;
  const { running } = node.forecasts;
  return running && running.iteration > node.iteration ? running : null; // the worker tells of its end before the gate
}

/** Say what was forecast of an iteration and what came: "forecast 1.02 s (0.93 to 1.15), took 1.08 s". */
export function iterationText({ startedS, expectedS, lowS, highS, endedS }: IterationForecast): string {
  const expected = splitSeconds(expectedS - startedS);
  const bound = (atS: number) => {
    const { text, unit } = splitSeconds(atS - startedS);
    return unit === expected.unit ? text : formatSeconds(atS - startedS);
  };
  const forecast = `forecast ${formatSeconds(expectedS - startedS)} (${bound(lowS)} to ${bound(highS)})`;
  if (!Number.isFinite(endedS)) return forecast;
  const isOutside = endedS < lowS || endedS > highS;
  return `${forecast}, took ${formatSeconds(endedS - startedS)}${isOutside ? ", outside its window" : ""}`;
}

/** Whether anything was forecast yet: a synchronisation, or the end of an iteration. */
export function areThereForecasts(model: RunModel): boolean {
  return model.plan !== null || trackRecord(model).num > 0 || model.workers.some(({ forecasts }) => forecasts.length > 0);
}

/** Give how the forecasts of all workers' iterations held. */
export function iterationScore(model: RunModel): Score {
  if (model.summary?.forecasts) {
    const { num, coverage, mean_error_share: error, mean_width_share: width } = model.summary.forecasts;
    return { num, numCovered: coverage * num, errorShare: error * num, widthShare: width * num };
  }
  return pool(model.workers.map(({ forecasts }) => forecasts));
}

export const SHARE_HELP = "Error and width are shares of how long the iteration took.";
export const WARM_UP_HELP = `The first ${WARM_UP} iterations of a worker are not judged: its forecaster has yet to learn.`;

/** Say how the forecasts of iterations held, in a sentence; "" where none was judged. */
export function scoreSentence({ num, numCovered, errorShare }: Score): string {
  if (num === 0) return "";
  return `${formatPercent(numCovered / num)} of ${plural(num, "iteration")} ended inside their predicted window; mean error ${formatPercent(errorShare / num)}.`;
}
