/** The curves of compared runs as a picture. Pure: colours come in resolved. */

import type { ComparedCurves } from "../api/types";
import { formatCount, formatNumber } from "../format";
import type { Axis, Band, Picture, Trace } from "./picture";
import type { RunStyle } from "./styles";

export type Along = "seconds" | "iterations";
export type Quantity = "accuracy" | "loss";

type Evaluations = ComparedCurves["runs"][number]["evaluations"];
type GroupBands = ComparedCurves["groups"][number];

/** A line of a figure: one run, or the mean of a setting's seeds with its 95% band. */
export interface Line {
  id: string;
  label: string;
  style: RunStyle;
  evaluations: Evaluations | null;
  bands: GroupBands | null; // null: there is no band to draw, only `evaluations`
  isSimulated: boolean;
}

export interface Colours {
  ink: string;
  quiet: string;
  line: string;
  surface: string;
  runs: string[]; // --run-1 ... in order
}

const FEW = 30; // lines, up to which each has its markers
const FEW_BANDS = 3; // up to which the filling alone tells them apart

export function curvesPicture(
  lines: readonly Line[],
  quantity: Quantity,
  along: Along,
  target: number | null,
  colours: Colours,
): Picture {
  const key = `${quantity}_over_${along}` as const;
  const numBands = lines.filter(({ bands }) => bands?.[key]).length;
  const isFew = lines.length <= FEW;
  const bands: Band[] = [];
  const traces = lines.flatMap(({ evaluations, bands: ofSeeds, label, style }): Trace[] => {
    const colour = colours.runs[style.colour - 1] ?? colours.ink;
    const band = ofSeeds?.[key] ?? null;
    if (band) bands.push(bandOf(band, colour, numBands));
    const points = band
      ? { x: band.x, y: band.mean }
      : evaluations && { x: along === "seconds" ? evaluations.at_s : evaluations.iterations, y: evaluations[quantity] };
    if (!points) return [];
    const marker = isFew ? { symbol: style.marker, scale: 0.85 } : null;
    return [{ ...points, label, colour, line: { width: isFew ? 1.75 : 1.25, dash: style.dash }, marker }];
  });
  return {
    bands,
    traces,
    x: alongAxis(along, lines),
    y: quantity === "accuracy" ? ACCURACY : LOSS,
    level: target === null ? null : { at: target, word: "target" },
  };
}

/** The more bands, the paler, and then with thin edges. */
function bandOf({ x, low, high }: { x: number[]; low: number[]; high: number[] }, colour: string, num: number): Band {
  const isFew = num <= FEW_BANDS;
  return { x, low, high, fill: translucent(colour, isFew ? 0.2 : 0.6 / num), edge: isFew ? null : translucent(colour, 0.45) };
}

/** "#rrggbb" at a part of its strength. */
export function translucent(colour: string, strength: number): string {
  const parts = /^#(..)(..)(..)$/.exec(colour)?.slice(1).map((part) => parseInt(part, 16));
  return `rgba(${parts?.join(",") ?? "128,128,128"},${strength})`;
}

/** A mark of an axis with as many decimals as the distance of the marks needs. */
export function markOf(value: number, step: number): string {
  const decimals = Math.min(9, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  return value.toFixed(decimals).replace("-", "−");
}

/** A share as a mark: 12%, or 12.5% where the marks lie that close. */
export function percentMark(share: number, step: number): string {
  return `${markOf(share * 100, step * 100)}%`;
}

const LOSS: Axis = {
  title: "",
  isLog: true,
  fromZero: false,
  mark: (value) => String(Number(value.toPrecision(3))),
  say: (value) => value.toPrecision(4),
};

const ACCURACY: Axis = {
  title: "",
  isLog: false,
  fromZero: false,
  mark: percentMark,
  say: (value) => `${(value * 100).toFixed(2)}%`,
};

function alongAxis(along: Along, lines: readonly Line[]): Axis {
  const mark = along === "seconds" ? markOf : formatCount;
  const say = along === "seconds" ? (value: number) => `${formatNumber(value)} s` : (value: number) => `${formatCount(value)} iterations`;
  return { title: axisTitle(along, lines), isLog: false, fromZero: true, mark, say };
}

/** Name an axis; seconds say whose they are where some of them are virtual. */
export function axisTitle(along: Along, lines: readonly Line[]): string {
  if (along === "iterations") return "iterations of all workers";
  const num = lines.filter(({ isSimulated }) => isSimulated).length;
  if (num === 0) return "seconds";
  return num === lines.length ? "seconds of virtual time (simulated)" : "seconds, virtual ones of simulated runs";
}
