import { isActive } from "../api/states";
import type { Run } from "../api/types";
import { useRowsByNow } from "../app/later";
import { Link } from "../app/Link";
import { Num } from "../ui/Num";
import { SimulatedMark } from "../ui/SimulatedMark";
import { StateMark } from "../ui/StateMark";
import { against, bestOf, metricsOf, type Metric } from "./metrics";
import { Swatch } from "./Swatch";
import type { RunStyle } from "./styles";
import table from "../ui/Table.module.css";
import css from "./tables.module.css";

interface Props {
  runs: readonly Run[];
  labels: ReadonlyMap<string, string>;
  styles: ReadonlyMap<string, RunStyle>;
  baseline: Run;
  onBaseline: (id: string) => void;
}

/** The figures of each run, against the baseline; the best of a column says so in a word. */
export function MetricTable({ runs, labels, styles, baseline, onBaseline }: Props) {
  const num = useRowsByNow(runs.length);
  const metrics = metricsOf(runs);
  const best = new Map(metrics.map((metric) => [metric.key, bestOf(metric, runs)]));
  return (
    <div className={`${table.scroll ?? ""} ${css.tall ?? ""}`}>
      <table className={`${table.table ?? ""} ${css.results ?? ""}`}>
        <caption className="unseen">Results of each run, with its ratio to the baseline</caption>
        <thead>
          <tr>
            <th scope="col" className={css.run}>
              <RunHead runs={runs} />
            </th>
            <th scope="col">Baseline</th>
            {metrics.map(({ key, title, help }) => (
              <th key={key} scope="col" className={table.right} title={help}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {runs.slice(0, num).map((run) => (
            <tr key={run.id}>
              <th scope="row" className={css.run}>
                <RunName run={run} label={labels.get(run.id) ?? run.name} style={styles.get(run.id)} isMarked={!areSimulated(runs)} />
              </th>
              <td className={css.pick}>
                <input
                  type="radio"
                  name="baseline"
                  aria-label={`Compare with ${labels.get(run.id) ?? run.name}`}
                  checked={run === baseline}
                  onChange={() => onBaseline(run.id)}
                />
              </td>
              {metrics.map((metric) => (
                <td key={metric.key} className={table.right}>
                  <Cell metric={metric} run={run} baseline={baseline} best={best.get(metric.key) ?? null} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** That all runs are simulated is said once, in the head of their names, which need the width. */
export const areSimulated = (runs: readonly Run[]) => runs.every((run) => run.is_simulated);

export function RunHead({ runs }: { runs: readonly Run[] }) {
  return <>Run {areSimulated(runs) && <SimulatedMark />}</>;
}

interface NameProps {
  run: Run;
  label: string;
  style: RunStyle | undefined;
  isMarked: boolean; // says whether it is simulated
}

export function RunName({ run, label, style, isMarked }: NameProps) {
  return (
    <span className={css.runName}>
      <Swatch style={style} />
      <Link to={`/runs/${run.id}`} title={`${run.name} (${run.experiment_name})`}>
        {label}
      </Link>
      {(isActive(run.state) || run.state === "failed") && (
        <StateMark state={run.state} reason={run.reason} queuePosition={run.queue_position} />
      )}
      {run.is_simulated && isMarked && <SimulatedMark />}
    </span>
  );
}

function Cell({ metric, run, baseline, best }: { metric: Metric; run: Run; baseline: Run; best: number | null }) {
  const figure = metric.of(run);
  const isBest = figure !== null && !figure.isBound && figure.value === best;
  const ratio = run === baseline ? "" : against(metric, run, baseline);
  return (
    <span className={css.cell}>
      <span className={css.best}>{isBest && "best"}</span>
      <span className={css.ratio}>{ratio}</span>
      <span className={css.value}>
        {figure?.isBound && <span className="quiet">not in </span>}
        <Num value={figure?.value} as={metric.as} />
      </span>
    </span>
  );
}
