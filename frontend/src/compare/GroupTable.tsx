import type { MetricAgainst } from "../api/types";
import { formatNumber, formatRatio, plural } from "../format";
import { Num } from "../ui/Num";
import { isSure, tally, type Group } from "./groups";
import { Forest } from "./Forest";
import { formatPoints } from "./metrics";
import type { RunStyle } from "./styles";
import { Swatch } from "./Swatch";
import table from "../ui/Table.module.css";
import css from "./tables.module.css";

interface Column {
  key: string;
  title: string;
  as: "seconds" | "percent" | "number" | "bytes";
  isRatio: boolean;
}

const COLUMNS: Column[] = [
  { key: "time_to_target_s", title: "Time to target", as: "seconds", isRatio: true },
  { key: "final_loss", title: "Final loss", as: "number", isRatio: true },
  { key: "final_accuracy", title: "Accuracy", as: "percent", isRatio: false },
  { key: "utilisation", title: "Utilisation", as: "percent", isRatio: false },
  { key: "wait_share", title: "Waiting", as: "percent", isRatio: false },
];

interface Props {
  groups: readonly Group[];
  styles: ReadonlyMap<string, RunStyle>;
  onBaseline: (runId: string) => void;
}

/** Each setting over its seeds: means with 95% intervals, and its ratio to the baseline's, seed by seed. */
export function GroupTable({ groups, styles, onBaseline }: Props) {
  const columns = COLUMNS.filter(({ key }) => groups.some(({ metrics }) => metrics[key]));
  const times = groups.map(({ against }) => against["time_to_target_s"] ?? null);
  const hasForest = times.some((one) => one?.centre);
  return (
    <div className={`${table.scroll ?? ""} ${css.tall ?? ""}`}>
      <table className={`${table.table ?? ""} ${css.groups ?? ""}`}>
        <caption className="unseen">Each setting over its seeds, against the baseline</caption>
        <thead>
          <tr>
            <th scope="col" className={css.run}>
              Setting
            </th>
            <th scope="col">Baseline</th>
            <th scope="col" className={table.right}>
              Seeds
            </th>
            {columns.map(({ key, title }) => (
              <th key={key} scope="col" className={table.right}>
                {title}
              </th>
            ))}
            {hasForest && (
              <th scope="col" title="Ratio of times, with its 95% interval; left of the line is faster">
                Time against the baseline
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {groups.map((group, index) => (
            <tr key={group.id}>
              <th scope="row" className={css.run}>
                <span className={css.runName}>
                  <Swatch style={styles.get(group.id)} />
                  <span className={css.settingName} title={group.name}>
                    {group.name}
                  </span>
                </span>
              </th>
              <td className={css.pick}>
                <input
                  type="radio"
                  name="baseline-setting"
                  aria-label={`Compare with ${group.name}`}
                  checked={group.isBaseline}
                  onChange={() => onBaseline(group.run_ids[0] ?? "")}
                />
              </td>
              <td className={table.right}>{group.seeds.length}</td>
              {columns.map((column) => (
                <td key={column.key} className={table.right}>
                  <SpreadCell column={column} group={group} />
                </td>
              ))}
              {hasForest && (
                <td>
                  <Forest pairs={times[index] ?? null} all={times} isBaseline={group.isBaseline} />
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SpreadCell({ column, group }: { column: Column; group: Group }) {
  const spread = group.metrics[column.key];
  const pairs = group.against[column.key];
  if (!spread) return <Num value={null} />;
  if (spread.mean === null) return <span className="quiet">not reached</span>;
  const half = spread.low === null || spread.high === null ? null : (spread.high - spread.low) / 2;
  return (
    <span className={css.spread}>
      <span>
        <Num value={spread.mean} as={column.as} />
        {half !== null && (
          <span className={css.half} title="half of the 95% interval of the mean, Student's t">
            {" ±\u202f"}
            <Num value={half} as={column.as} />
          </span>
        )}
      </span>
      <span className={css.range}>
        {spread.num_bounds > 0 && `${plural(spread.num_bounds, "run")} missed it${pairs ? "; " : ""}`}
        {pairs && <Against pairs={pairs} isRatio={column.isRatio} />}
      </span>
    </span>
  );
}

function Against({ pairs, isRatio }: { pairs: MetricAgainst; isRatio: boolean }) {
  if (pairs.centre === null) return <>{pairs.num_better + pairs.num_worse > 0 && tally(pairs)}</>;
  const write = isRatio ? formatRatio : formatPoints;
  const exact = [
    pairs.low !== null && pairs.high !== null && `95% interval ${write(pairs.low)} to ${write(pairs.high)}`,
    plural(pairs.num_pairs, "common seed"),
    tally(pairs),
    pairs.effect !== null && `effect size d = ${formatNumber(pairs.effect)}`,
  ];
  return (
    <span title={exact.filter(Boolean).join("; ")}>
      {isSure(pairs, isRatio) ? <b>{write(pairs.centre)}</b> : write(pairs.centre)}
    </span>
  );
}
