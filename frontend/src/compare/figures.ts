/** The curves as plotly's data and layout. Pure: colours come in resolved. */

import type { ComparedCurves } from "../api/types";
import type { RunStyle } from "./styles";

export type Axis = "seconds" | "iterations";
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

export function tracesOf(lines: readonly Line[], quantity: Quantity, axis: Axis, colours: Colours): object[] {
  const unit = axis === "seconds" ? " s" : " iterations";
  const format = quantity === "accuracy" ? ".2%" : ".4~g";
  const isFew = lines.length <= FEW;
  const key = `${quantity}_over_${axis}` as const;
  const numBands = lines.filter(({ bands }) => bands?.[key]).length;
  const edges: object[] = [];
  const mains = lines.flatMap(({ evaluations, bands, label, style }) => {
    const colour = colours.runs[style.colour - 1] ?? colours.ink;
    const band = bands?.[key] ?? null;
    if (!band && !evaluations) return [];
    const main = {
      type: "scatter",
      mode: isFew ? "lines+markers" : "lines",
      name: label,
      x: band ? band.x : axis === "seconds" ? evaluations?.at_s : evaluations?.iterations,
      y: band ? band.mean : evaluations?.[quantity],
      line: { color: colour, width: isFew ? 1.75 : 1.25, dash: style.dash },
      marker: { color: colour, symbol: style.marker, size: 7, maxdisplayed: 8 },
      hovertemplate: `${escapeHtml(label)}<br>%{y:${format}} at %{x:.4~g}${unit}<extra></extra>`,
    };
    if (band) edges.push(...edgesOf(band, colour, numBands));
    return [main];
  });
  return [...edges, ...mains]; // no band lies over a line
}

const FEW_BANDS = 3; // up to which the filling alone tells them apart

/** The two edges of a band, the space between them filled; the more bands, the paler, and then with thin edges. */
function edgesOf({ x, low, high }: { x: number[]; low: number[]; high: number[] }, colour: string, num: number): object[] {
  const line = num <= FEW_BANDS ? { width: 0 } : { width: 0.75, color: translucent(colour, 0.45) };
  const edge = { type: "scatter", mode: "lines", x, line, hoverinfo: "skip" };
  return [
    { ...edge, y: low },
    { ...edge, y: high, fill: "tonexty", fillcolor: translucent(colour, num <= FEW_BANDS ? 0.2 : 0.6 / num) },
  ];
}

/** "#rrggbb" at a part of its strength. */
export function translucent(colour: string, strength: number): string {
  const parts = /^#(..)(..)(..)$/.exec(colour)?.slice(1).map((part) => parseInt(part, 16));
  return `rgba(${parts?.join(",") ?? "128,128,128"},${strength})`;
}

/** Labels are a person's words: plotly reads a little HTML in texts. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Name an axis; seconds say whose they are where some of them are virtual. */
export function axisTitle(axis: Axis, lines: readonly Line[]): string {
  if (axis === "iterations") return "iterations of all workers";
  const num = lines.filter(({ isSimulated }) => isSimulated).length;
  if (num === 0) return "seconds";
  return num === lines.length ? "seconds of virtual time (simulated)" : "seconds, virtual ones of simulated runs";
}

/** What all figures have in common. */
export function frameOf(colours: Colours, face: string): { ticks: object; frame: object } {
  const ticks = {
    gridcolor: colours.line,
    linecolor: colours.line,
    zeroline: false,
    tickcolor: colours.line,
    ticks: "outside",
    ticklen: 4,
  };
  const frame = {
    autosize: true,
    height: 280,
    margin: { l: 48, r: 12, t: 8, b: 40 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: face, size: 12, color: colours.quiet },
    showlegend: false,
    hovermode: "closest",
    hoverlabel: {
      bgcolor: colours.surface,
      bordercolor: colours.line,
      font: { family: face, size: 12, color: colours.ink },
    },
  };
  return { ticks, frame };
}

const WIDE = 8; // largest loss over least, from which 1, 2 and 5 of each power of ten are marks enough

/** The marks of the losses' logarithmic axis. Over a narrow range they are left to plotly, or hardly one would be in sight. */
export function lossMarks(lines: readonly Line[], axis: Axis): { dtick?: string } {
  let [least, most] = [Infinity, 0];
  for (const { evaluations, bands } of lines) {
    const band = bands?.[`loss_over_${axis}`];
    for (const loss of band ? [...band.low, ...band.high] : (evaluations?.loss ?? [])) {
      if (loss !== null && loss > 0) [least, most] = [Math.min(least, loss), Math.max(most, loss)];
    }
  }
  return most / least < WIDE ? {} : { dtick: "D2" };
}

export function layoutOf(
  lines: readonly Line[],
  quantity: Quantity,
  axis: Axis,
  target: number | null,
  colours: Colours,
  face: string,
): object {
  const { ticks, frame } = frameOf(colours, face);
  return {
    ...frame,
    xaxis: {
      ...ticks,
      title: { text: axisTitle(axis, lines), standoff: 6 },
      rangemode: "tozero",
    },
    yaxis: {
      ...ticks,
      tickformat: quantity === "accuracy" ? ".0%" : ".3~g",
      ...(quantity === "loss" ? { type: "log", ...lossMarks(lines, axis) } : {}),
      nticks: 6,
    },
    ...(target === null
      ? {}
      : {
          shapes: [
            {
              type: "line",
              xref: "paper",
              x0: 0,
              x1: 1,
              y0: target,
              y1: target,
              line: { color: colours.quiet, width: 1, dash: "dot" },
            },
          ],
          annotations: [
            {
              xref: "paper",
              x: 0, // where no curve has come to it yet
              xanchor: "left",
              y: quantity === "loss" ? Math.log10(target) : target,
              yanchor: "bottom",
              text: "target",
              showarrow: false,
              font: { size: 11, color: colours.quiet },
            },
          ],
        }),
    uirevision: `${quantity} ${axis}`, // a zoom stays when new points arrive
  };
}
