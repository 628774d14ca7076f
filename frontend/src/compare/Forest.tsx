import type { MetricAgainst } from "../api/types";
import { formatNumber, formatRatio } from "../format";
import { tally } from "./groups";
import css from "./Forest.module.css";

const WIDTH = 180;
const HEIGHT = 22;
const MARGIN = 8;

interface Props {
  pairs: MetricAgainst | null;
  all: readonly (MetricAgainst | null)[]; // share one scale
  isBaseline: boolean;
}

/** A ratio and its 95% interval on a logarithmic scale that all rows share; the line is "as fast as the baseline". */
export function Forest({ pairs, all, isBaseline }: Props) {
  const [low, high] = extentOf(all);
  const x = (ratio: number) =>
    MARGIN + ((Math.log(clamp(ratio, low, high)) - Math.log(low)) / (Math.log(high) - Math.log(low))) * (WIDTH - 2 * MARGIN);
  const one = x(1);
  if (isBaseline || !pairs || pairs.centre === null) {
    return (
      <svg className={css.forest} width={WIDTH} height={HEIGHT} aria-hidden="true">
        <path className={css.one} d={`M${one} 0V${HEIGHT}`} />
        {isBaseline && <path className={css.diamond} d={`M${one - 5} 11l5-5 5 5-5 5z`} />}
      </svg>
    );
  }
  const { centre } = pairs;
  const text = `${formatRatio(centre)} the baseline's time${pairs.low !== null && pairs.high !== null ? `, 95% interval ${formatRatio(pairs.low)} to ${formatRatio(pairs.high)}` : ", one pair"}`;
  const effect = pairs.effect === null ? "" : `; effect size d = ${formatNumber(pairs.effect)}`;
  return (
    <span className={css.row}>
      <svg className={css.forest} width={WIDTH} height={HEIGHT} role="img" aria-label={text}>
        <title>{`${text}; ${tally(pairs)}${effect}`}</title>
        <path className={css.one} d={`M${one} 0V${HEIGHT}`} />
        {pairs.low !== null && pairs.high !== null && (
          <path
            className={css.interval}
            d={`M${x(pairs.low)} 11H${x(pairs.high)}${pairs.low >= low ? `M${x(pairs.low)} 7v8` : ""}${pairs.high <= high ? `M${x(pairs.high)} 7v8` : ""}`}
          />
        )}
        <rect className={css.centre} x={x(centre) - 4} y={7} width={8} height={8} />
      </svg>
      <span className="quiet">{tally(pairs)}</span>
    </span>
  );
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

/** The scale: all centres and intervals, but no interval stretches it beyond ten times the centres' range. */
function extentOf(all: readonly (MetricAgainst | null)[]): [number, number] {
  const centres = all.flatMap((one) => one?.centre ?? []);
  const ends = all.flatMap((one) => [one?.low ?? [], one?.high ?? []].flat());
  const [least, most] = [Math.min(1, ...centres), Math.max(1, ...centres)];
  const low = Math.max(Math.min(least, ...ends), least / 3);
  const high = Math.min(Math.max(most, ...ends), most * 3);
  return [Math.min(low, 0.8), Math.max(high, 1.25)];
}
