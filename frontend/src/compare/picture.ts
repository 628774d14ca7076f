/** What a figure of a comparison shows, before anything is drawn: lines, bands and axes in data units. Pure. */

import type { Dash, Marker } from "./styles";

export interface Trace {
  label: string;
  colour: string;
  x: readonly number[];
  y: readonly (number | null)[]; // null: a gap
  line: { width: number; dash: Dash } | null;
  marker: { symbol: Marker; scale: number } | null;
  interval?: readonly [low: number, high: number]; // of the only point
}

export interface Band {
  x: readonly number[];
  low: readonly number[];
  high: readonly number[];
  fill: string;
  edge: string | null;
}

export interface Axis {
  title: string;
  isLog: boolean;
  fromZero: boolean;
  mark: (value: number, step: number) => string; // beside the axis; `step`: between two marks
  say: (value: number) => string; // in the label of a point
}

export interface Picture {
  bands: readonly Band[]; // drawn below all lines
  traces: readonly Trace[];
  x: Axis;
  y: Axis;
  level: { at: number; word: string } | null; // a dotted line across
}

export type Range = [least: number, most: number];

const ROOM = 0.04; // of an axis beyond the data, so that no marker is cut

/** The stretch of both axes that holds everything; an empty picture gets [0, 1]. */
export function rangesOf({ traces, bands, x, y }: Picture): { x: Range; y: Range } {
  const xs = [...traces, ...bands].flatMap((one) => one.x);
  const ys = [
    ...traces.flatMap((one) => [...one.y, ...(one.interval ?? [])]),
    ...bands.flatMap(({ low, high }) => [...low, ...high]),
  ];
  return { x: rangeOf(xs, x), y: rangeOf(ys, y) };
}

function rangeOf(values: readonly (number | null)[], { isLog, fromZero }: Axis): Range {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    if (value === null || !Number.isFinite(value) || (isLog && value <= 0)) continue;
    [least, most] = [Math.min(least, value), Math.max(most, value)];
  }
  if (least > most) return isLog ? [0.1, 1] : [0, 1];
  if (isLog) {
    const room = Math.max((most / least) ** ROOM, 1.02);
    return [least / room, most * room];
  }
  const room = ROOM * (most - (fromZero ? 0 : least)) || ROOM * Math.abs(most) || 1;
  return [fromZero ? Math.min(0, least) : least - room, most + room];
}

/** Marks at 1, 2 or 5 times a power of ten, about `num` of them. */
export function evenMarks([least, most]: Range, num: number): number[] {
  const rough = (most - least) / Math.max(1, num);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((part) => part * power >= rough) ?? 10);
  const first = Math.ceil(least / step - 1e-9);
  return Array.from({ length: Math.floor(most / step + 1e-9) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

const WIDE = 8; // most over least, from which 1, 2 and 5 of each power of ten are marks enough

/** Marks of a logarithmic axis: 1, 2 and 5 of each power, or the powers alone; over a narrow range even ones. */
export function logMarks([least, most]: Range, num: number): number[] {
  if (most / least < WIDE) return evenMarks([least, most], num);
  const powers: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.log10(most); power += 1) powers.push(power);
  const isInside = (value: number) => value >= least && value <= most;
  for (const parts of [[1, 2, 5], [1, 3]]) {
    const marks = powers.flatMap((power) => parts.map((part) => Number(`${part}e${power}`))).filter(isInside);
    if (marks.length <= 2 * num) return marks;
  }
  const every = Math.ceil(powers.length / (2 * num));
  return powers.filter((power) => power % every === 0).map((power) => Number(`1e${power}`)).filter(isInside);
}

/** The distance between the first two marks. */
export function stepOf(marks: readonly number[]): number {
  return Math.abs((marks[1] ?? 1) - (marks[0] ?? 0));
}

export interface Found {
  trace: number;
  point: number;
  left: number; // px
  top: number;
}

/** Find the point that is drawn closest to a place, if one lies within `reach` px. */
export function closest(
  { traces }: Picture,
  place: { left: number; top: number },
  reach: number,
  toLeft: (x: number) => number,
  toTop: (y: number) => number,
): Found | null {
  let [found, best]: [Found | null, number] = [null, reach];
  traces.forEach(({ x, y }, trace) => {
    for (let point = 0; point < x.length; point += 1) {
      const left = toLeft(x[point] ?? NaN);
      if (!(Math.abs(left - place.left) <= best)) continue;
      const value = y[point];
      if (value === null || value === undefined) continue;
      const top = toTop(value);
      const distance = Math.hypot(left - place.left, top - place.top);
      if (distance <= best) [found, best] = [{ trace, point, left, top }, distance];
    }
  });
  return found;
}
