/** The curves as plotly's data and layout. Pure: colours come in resolved. */

import type { Curves } from "../api/types";
import type { RunStyle } from "./styles";

export type Axis = "seconds" | "iterations";
export type Quantity = "accuracy" | "loss";

export interface RunCurves {
  id: string;
  label: string;
  style: RunStyle;
  curves: Curves | undefined; // undefined while they are fetched
  isSimulated: boolean;
}

export interface Colours {
  ink: string;
  quiet: string;
  line: string;
  surface: string;
  runs: string[]; // --run-1 ... in order
}

export function tracesOf(runs: readonly RunCurves[], quantity: Quantity, axis: Axis, colours: Colours): object[] {
  const unit = axis === "seconds" ? " s" : " iterations";
  const format = quantity === "accuracy" ? ".2%" : ".4~g";
  return runs.flatMap(({ curves, label, style }) => {
    if (!curves) return [];
    const { evaluations } = curves;
    const colour = colours.runs[style.colour - 1] ?? colours.ink;
    return [
      {
        type: "scatter",
        mode: "lines+markers",
        name: label,
        x: axis === "seconds" ? evaluations.at_s : evaluations.iterations,
        y: evaluations[quantity],
        line: { color: colour, width: 1.75, dash: style.dash },
        marker: { color: colour, symbol: style.marker, size: 7, maxdisplayed: 8 },
        hovertemplate: `${escapeHtml(label)}<br>%{y:${format}} at %{x:.4~g}${unit}<extra></extra>`,
      },
    ];
  });
}

/** Labels are a person's words: plotly reads a little HTML in texts. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Name an axis; seconds say whose they are where some of them are virtual. */
export function axisTitle(axis: Axis, runs: readonly RunCurves[]): string {
  if (axis === "iterations") return "iterations of all workers";
  const num = runs.filter(({ isSimulated }) => isSimulated).length;
  if (num === 0) return "seconds";
  return num === runs.length ? "seconds of virtual time (simulated)" : "seconds, virtual ones of simulated runs";
}

export function layoutOf(
  quantity: Quantity,
  axis: Axis,
  axisText: string,
  target: number | null,
  colours: Colours,
  face: string,
): object {
  const ticks = {
    gridcolor: colours.line,
    linecolor: colours.line,
    zeroline: false,
    tickcolor: colours.line,
    ticks: "outside",
    ticklen: 4,
  };
  return {
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
    xaxis: {
      ...ticks,
      title: { text: axisText, standoff: 6 },
      rangemode: "tozero",
    },
    yaxis: {
      ...ticks,
      tickformat: quantity === "accuracy" ? ".0%" : ".3~g",
      ...(quantity === "loss" ? { type: "log", dtick: "D2" } : {}),
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
              x: 1,
              xanchor: "right",
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
