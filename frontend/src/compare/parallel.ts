/** Parallel coordinates: an axis for each setting that differs and each figure, a place on it for each run. Pure. */

import type { Comparison, Run } from "../api/types";
import { describePath, describeValue } from "../form/describe";
import { formatBytes, formatNumber, formatPercent, formatSeconds } from "../format";
import { metricsOf, type Metric } from "./metrics";

/** A place is between 0 (foot) and 1 (head); null: the run has no such value. */
export interface ParallelAxis {
  key: string;
  title: string;
  places: readonly (number | null)[]; // in the order of the runs
  ticks: readonly { place: number; text: string }[];
  isResult: boolean; // a figure of the run, not a setting
}

/** The stretch of an axis that is let through, by the axis' key. */
export type Brushes = ReadonlyMap<string, readonly [number, number]>;

const MOST_SETTINGS = 8;
const LOG_FROM = 30; // ratio of the largest to the least value
const LEAST_APART = 0.09; // of an axis: closer values are not named one by one
const WRITE: Record<Metric["as"], (value: number) => string> = {
  seconds: formatSeconds,
  percent: formatPercent,
  bytes: formatBytes,
  count: formatNumber,
  number: formatNumber,
};

/** Settings first, in the order of the spec, then figures. What all runs share is left out. */
export function axesOf({ runs, differences }: Comparison): ParallelAxis[] {
  const settings = differences
    .filter(({ path, values }) => path !== "name" && new Set(values.filter((value) => value !== null).map(describeValue)).size > 1)
    .slice(0, MOST_SETTINGS)
    .map(({ path, values }) => settingAxis(path, values));
  const results = metricsOf(runs).flatMap((metric) => {
    const axis = resultAxis(metric, runs);
    return axis ? [axis] : [];
  });
  return [...settings, ...results];
}

function settingAxis(path: string, values: readonly unknown[]): ParallelAxis {
  const title = describePath(path);
  const known = values.filter((value) => value !== null && value !== undefined);
  if (known.every((value) => typeof value === "number")) {
    const axis = numericAxis(values as (number | null)[], (value) => describeValue(Number(value.toPrecision(3))));
    return { key: path, title, isResult: false, ...axis };
  }
  const texts = values.map((value) => (value === null || value === undefined ? null : describeValue(value)));
  const distinct = [...new Set(texts.filter((text) => text !== null))].toSorted();
  const place = (text: string) => (distinct.length < 2 ? 0.5 : distinct.indexOf(text) / (distinct.length - 1));
  return {
    key: path,
    title,
    isResult: false,
    places: texts.map((text) => (text === null ? null : place(text))),
    ticks: distinct.map((text) => ({ place: place(text), text })),
  };
}

function resultAxis(metric: Metric, runs: readonly Run[]): ParallelAxis | null {
  const values = runs.map((run) => metric.of(run)).map((figure) => (figure && !figure.isBound ? figure.value : null));
  if (new Set(values.filter((value) => value !== null)).size < 2) return null;
  return { key: metric.key, title: metric.title, isResult: true, ...numericAxis(values, WRITE[metric.as]) };
}

function numericAxis(
  values: readonly (number | null)[],
  write: (value: number) => string,
): Pick<ParallelAxis, "places" | "ticks"> {
  const known = values.filter((value): value is number => typeof value === "number");
  const [low, high] = [Math.min(...known), Math.max(...known)];
  if (!(high > low)) return { places: values.map((value) => (value === null ? null : 0.5)), ticks: known.length > 0 ? [{ place: 0.5, text: write(low) }] : [] };
  const isLog = low > 0 && high / low > LOG_FROM;
  const scale = isLog ? Math.log : (value: number) => value;
  const undo = isLog ? Math.exp : (value: number) => value;
  const [from, length] = [scale(low), scale(high) - scale(low)];
  const placeOf = (value: number) => (scale(value) - from) / length;
  const distinct = [...new Set(known)].toSorted((a, b) => a - b);
  const isApart = distinct.every((value, index) => index === 0 || placeOf(value) - placeOf(distinct[index - 1] as number) > LEAST_APART);
  const marked = isApart ? distinct : [low, undo(from + length / 2), high];
  return {
    places: values.map((value) => (typeof value === "number" ? placeOf(value) : null)),
    ticks: marked.map((value) => ({ place: placeOf(value), text: write(value) })),
  };
}

/** Whether each run lies within all brushes; a run without a value on a brushed axis does not. */
export function isInside(axes: readonly ParallelAxis[], brushes: Brushes, numRuns: number): boolean[] {
  const active = axes.flatMap((axis) => {
    const brush = brushes.get(axis.key);
    return brush ? [{ axis, brush }] : [];
  });
  return Array.from({ length: numRuns }, (_, run) =>
    active.every(({ axis, brush }) => {
      const place = axis.places[run];
      return place !== null && place !== undefined && place >= brush[0] - 1e-9 && place <= brush[1] + 1e-9;
    }),
  );
}

const DIGITS = 3;

/** Brushes as they stand in the URL: "policy.threshold~0.2~0.6,target~0~0.5". */
export function writeBrushes(brushes: Brushes): string | null {
  const parts = [...brushes].map(([key, ends]) => [encodeURIComponent(key), ...ends.map((end) => Number(end.toFixed(DIGITS)))].join("~"));
  return parts.length > 0 ? parts.join(",") : null;
}

/** Read them back; what is malformed is left out. */
export function readBrushes(text: string | null): Map<string, readonly [number, number]> {
  const brushes = new Map<string, readonly [number, number]>();
  for (const part of (text ?? "").split(",")) {
    const [key = "", low = "", high = ""] = part.split("~");
    const ends = [Number(low), Number(high)] as const;
    const isWhole = low !== "" && high !== "" && ends.every((end) => end >= 0 && end <= 1) && ends[0] <= ends[1];
    if (key && isWhole) brushes.set(decode(key), ends);
  }
  return brushes;
}

function decode(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
