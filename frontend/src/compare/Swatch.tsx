import type { ReactNode } from "react";
import type { Dash, Marker, RunStyle } from "./styles";

const STROKES: Record<Dash, string | undefined> = {
  solid: undefined,
  dash: "6 3",
  dot: "2 2.5",
  dashdot: "6 2.5 2 2.5",
};

const SHAPES: Record<Marker, ReactNode> = {
  circle: <circle cx="14" cy="7" r="4" />,
  square: <rect x="10.5" y="3.5" width="7" height="7" />,
  diamond: <path d="M14 2l5 5-5 5-5-5z" />,
  "triangle-up": <path d="M14 2.5l4.6 8h-9.2z" />,
  "triangle-down": <path d="M14 11.5l4.6-8h-9.2z" />,
  cross: <path d="M12.5 2.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z" />,
  x: <path d="M11 2.5l3 3 3-3 1.5 1.5-3 3 3 3-1.5 1.5-3-3-3 3L9.5 10l3-3-3-3z" />,
  star: <path d="M14 1.5l1.7 3.7 4 .4-3 2.7.9 4-3.6-2.1-3.6 2.1.9-4-3-2.7 4-.4z" />,
};

/** A run's line and marker as the curves draw them: the legend, wherever the run is named. */
export function Swatch({ style }: { style: RunStyle | undefined }) {
  if (!style) return null;
  const colour = `var(--run-${style.colour})`;
  return (
    <svg width="28" height="14" viewBox="0 0 28 14" aria-hidden="true" style={{ flex: "none", verticalAlign: "-2px" }}>
      <path d="M0 7h28" stroke={colour} strokeWidth="2" strokeDasharray={STROKES[style.dash]} />
      <g fill={colour}>{SHAPES[style.marker]}</g>
    </svg>
  );
}
