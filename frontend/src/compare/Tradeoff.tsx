import { formatPercent, formatRatio } from "../format";
import { Figure } from "./Figure";
import { markOf, percentMark, type Colours } from "./figures";
import type { Group } from "./groups";
import type { Picture } from "./picture";
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
      makePicture={(colours) => pictureOf(points, colours)}
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

function pictureOf(points: readonly Point[], colours: Colours): Picture {
  return {
    bands: [],
    traces: points.map(({ name, style, utilisation, speedUp, low, high }) => ({
      label: name,
      colour: colours.runs[(style?.colour ?? 1) - 1] ?? colours.ink,
      x: [utilisation],
      y: [speedUp],
      line: null,
      marker: { symbol: style?.marker ?? "circle", scale: 1.2 },
      interval: [low, high],
    })),
    x: { title: "utilisation", isLog: false, fromZero: false, mark: percentMark, say: formatPercent },
    y: { title: "", isLog: false, fromZero: true, mark: (value, step) => `${markOf(value, step)}×`, say: formatRatio },
    level: { at: 1, word: "" },
  };
}
