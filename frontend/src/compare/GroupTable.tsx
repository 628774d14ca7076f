import type { Run } from "../api/types";
import { formatBytes, formatCount, formatNumber, formatPercent, formatRatio, formatSeconds, plural } from "../format";
import { Num } from "../ui/Num";
import { pairedRatios, spreadOf, type Group } from "./groups";
import { formatPoints, METRICS, type Metric } from "./metrics";
import table from "../ui/Table.module.css";
import css from "./tables.module.css";

interface Props {
  groups: readonly Group[];
  baseline: Run;
  nameOf: (group: Group) => string;
}

const FORMATS = {
  seconds: formatSeconds,
  percent: formatPercent,
  bytes: formatBytes,
  count: formatCount,
  number: formatNumber,
};
const SHOWN = METRICS.filter(({ key }) => ["target", "accuracy", "utilisation", "wait"].includes(key));

/** Each setting over its seeds: mean, range, and how it stands to the baseline's setting seed by seed. */
export function GroupTable({ groups, baseline, nameOf }: Props) {
  const base = groups.find(({ runs }) => runs.includes(baseline));
  return (
    // A region that scrolls must be reachable by keyboard, and nothing in it is.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={table.scroll} tabIndex={0} role="group" aria-label="Each setting over its seeds, as a table">
      <table className={table.table}>
        <caption className="unseen">Each setting over its seeds</caption>
        <thead>
          <tr>
            <th scope="col" className={css.run}>
              Setting
            </th>
            <th scope="col" className={table.right}>
              Seeds
            </th>
            {SHOWN.map(({ key, title }) => (
              <th key={key} scope="col" className={table.right}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <tr key={group.key}>
              <th scope="row" className={css.run}>
                {nameOf(group)}
                {group === base && <span className="quiet"> baseline</span>}
              </th>
              <td className={table.right}>{group.runs.length}</td>
              {SHOWN.map((metric) => (
                <td key={metric.key} className={table.right}>
                  <SpreadCell metric={metric} group={group} base={base} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SpreadCell({ metric, group, base }: { metric: Metric; group: Group; base: Group | undefined }) {
  const spread = spreadOf(metric, group.runs);
  const numMissed = group.runs.filter((run) => metric.of(run)?.isBound).length;
  if (!spread) return numMissed > 0 ? <span className="quiet">not reached</span> : <Num value={null} />;
  const ratio = base && base !== group ? pairedRatios(metric, group, base) : null;
  const formatOne = metric.difference === "points" ? formatPoints : formatRatio;
  return (
    <span className={css.spread}>
      <span title={ratio ? `mean over ${plural(ratio.num, "common seed")}` : undefined}>
        {ratio && formatOne(ratio.mean)}
      </span>
      <Num value={spread.mean} as={metric.as} />
      <span className={css.range}>
        {ratio && ratio.num > 1 && `${formatOne(ratio.low)} to ${formatOne(ratio.high)}`}
      </span>
      <span className={css.range}>
        {spread.num > 1 && `${FORMATS[metric.as](spread.low)} to ${FORMATS[metric.as](spread.high)}`}
        {numMissed > 0 && ` (${plural(numMissed, "run")} did not reach it)`}
      </span>
    </span>
  );
}

/** What the numbers allow to be said about chance. */
export function certaintyOf(groups: readonly Group[]): string {
  const nums = groups.map(({ runs }) => new Set(runs.map(({ spec }) => spec.seed)).size);
  const least = Math.min(...nums);
  if (least <= 1) return "Some settings ran with one seed only, so a difference may be chance: more seeds tell.";
  return `Means over the seeds, with the range; ratios compare runs of the same seed. The fewest seeds of a setting are ${least}.`;
}
