import { DASH_LENGTHS, MARKER_PATHS, type RunStyle } from "./styles";

/** A run's line and marker as the curves draw them: the legend, wherever the run is named. */
export function Swatch({ style }: { style: RunStyle | undefined }) {
  if (!style) return null;
  const colour = `var(--run-${style.colour})`;
  return (
    <svg width="28" height="14" viewBox="-14 -7 28 14" aria-hidden="true" style={{ flex: "none", verticalAlign: "-2px" }}>
      <path d="M-14 0h28" stroke={colour} strokeWidth="2" strokeDasharray={DASH_LENGTHS[style.dash].join(" ") || undefined} />
      <path d={MARKER_PATHS[style.marker]} fill={colour} />
    </svg>
  );
}
