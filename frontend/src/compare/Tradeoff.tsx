import { cssToken } from "../app/theme";
import { formatPercent, formatRatio } from "../format";
import { Figure } from "./Figure";
import { escapeHtml, frameOf, type Colours } from "./figures";
import type { Group } from "./groups";
import type { RunStyle } from "./styles";

interface Props {
  groups: readonly Group[];
  styles: ReadonlyMap<string, RunStyle>;
}

interface Point {
  name: string;
  style: RunStyle | undefined;
  utilisation: number;
  speedUp: number;
  low: number;
  high: number;
}

/** What keeping workers busy is worth: speed-up over the baseline against utilisation, a mark for each setting. */
export function Tradeoff({ groups, styles }: Props) {
  const points = pointsOf(groups, styles);
  const words = points.map(({ name, utilisation, speedUp }) => `${name} ${formatRatio(speedUp)} at ${formatPercent(utilisation)}`);
  return (
    <Figure
      title="Speed-up against utilisation"
      note="baseline’s time to the target over the setting’s, seed by seed; bars: 95% interval"
      label={`Speed-up against utilisation: ${words.join("; ")}.`}
      data={groups}
      traces={(colours) => points.map((point) => traceOf(point, colours))}
      layout={layoutOf}
    />
  );
}

export function pointsOf(groups: readonly Group[], styles: ReadonlyMap<string, RunStyle>): Point[] {
  return groups.flatMap((group) => {
    const utilisation = group.metrics["utilisation"]?.mean;
    const pairs = group.isBaseline ? { centre: 1, low: 1, high: 1 } : group.against["time_to_target_s"];
    if (utilisation === null || utilisation === undefined || !pairs?.centre) return [];
    const speedUp = 1 / pairs.centre;
    const [low, high] = [pairs.high ? 1 / pairs.high : speedUp, pairs.low ? 1 / pairs.low : speedUp];
    return [{ name: group.name, style: styles.get(group.id), utilisation, speedUp, low, high }];
  });
}

function traceOf({ name, style, utilisation, speedUp, low, high }: Point, colours: Colours): object {
  const colour = colours.runs[(style?.colour ?? 1) - 1] ?? colours.ink;
  return {
    type: "scatter",
    mode: "markers",
    name,
    x: [utilisation],
    y: [speedUp],
    error_y: { type: "data", symmetric: false, array: [high - speedUp], arrayminus: [speedUp - low], color: colour, thickness: 1, width: 3 },
    marker: { color: colour, symbol: style?.marker ?? "circle", size: 10 },
    hovertemplate: `${escapeHtml(name)}<br>%{y:.3~g}× at %{x:.1%}<extra></extra>`,
  };
}

function layoutOf(colours: Colours): object {
  const { ticks, frame } = frameOf(colours, cssToken("--face"));
  return {
    ...frame,
    xaxis: { ...ticks, title: { text: "utilisation", standoff: 6 }, tickformat: ".0%" },
    yaxis: { ...ticks, ticksuffix: "×", nticks: 6, rangemode: "tozero" },
    shapes: [
      { type: "line", xref: "paper", x0: 0, x1: 1, y0: 1, y1: 1, line: { color: colours.quiet, width: 1, dash: "dot" } },
    ],
    uirevision: "tradeoff",
  };
}
