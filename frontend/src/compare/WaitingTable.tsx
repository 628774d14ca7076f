import type { Run, WorkerSummary } from "../api/types";
import { useRowsByNow } from "../app/later";
import { formatPercent } from "../format";
import { Num } from "../ui/Num";
import { areSimulated, RunHead, RunName } from "./MetricTable";
import type { RunStyle } from "./styles";
import table from "../ui/Table.module.css";
import css from "./tables.module.css";

interface Props {
  runs: readonly Run[];
  labels: ReadonlyMap<string, string>;
  styles: ReadonlyMap<string, RunStyle>;
}

const FEW = 4; // runs that stand side by side; more stand one under the other

/** How long each worker waited in each run: bars share one scale, so that they compare across and down. */
export function WaitingTable({ runs, labels, styles }: Props) {
  const num = useRowsByNow(runs.length);
  const workers = [...new Set(runs.flatMap(({ summary }) => summary.workers.map(({ worker }) => worker)))].toSorted(
    (a, b) => a - b,
  );
  const largest = Math.max(0.01, ...runs.flatMap(({ summary }) => summary.workers.map(shareOf)));
  if (workers.length === 0) return <p className="quiet">No worker has done anything yet.</p>;
  const isShort = runs.length > FEW;
  const names = runs.map((run) => ({
    key: run.id,
    name: <RunName run={run} label={labels.get(run.id) ?? run.name} style={styles.get(run.id)} isMarked={!isShort || !areSimulated(runs)} />,
  }));
  const numbers = workers.map((worker) => ({ key: String(worker), name: <>{isShort ? `worker ${worker}` : worker}</> }));
  const [rows, columns] = isShort ? [names, numbers] : [numbers, names];
  const cell = (row: number, column: number) => {
    const [run, worker] = isShort ? [runs[row], workers[column]] : [runs[column], workers[row]];
    return <Bar worker={run?.summary.workers.find((one) => one.worker === worker)} largest={largest} isShort={isShort} />;
  };
  return (
    <div className={`${table.scroll ?? ""} ${css.tall ?? ""}`}>
      <table className={table.table}>
        <caption className="unseen">Waiting of each worker, as a share of its time and in seconds</caption>
        <thead>
          <tr>
            <th scope="col" className={css.run}>
              {isShort ? <RunHead runs={runs} /> : "Worker"}
            </th>
            {columns.map(({ key, name }) => (
              <th key={key} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, isShort ? num : undefined).map(({ key, name }, row) => (
            <tr key={key}>
              <th scope="row" className={css.run}>
                {name}
              </th>
              {columns.map((column, index) => (
                <td key={column.key}>{cell(row, index)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function shareOf({ wait_s, wall_s }: WorkerSummary): number {
  return wall_s > 0 ? wait_s / wall_s : 0;
}

function Bar({ worker, largest, isShort }: { worker: WorkerSummary | undefined; largest: number; isShort: boolean }) {
  if (!worker) return <span className="quiet">not there</span>;
  const share = shareOf(worker);
  return (
    <span className={css.worker} data-short={isShort || undefined} title={isShort ? `${worker.wait_s.toFixed(3)} s` : undefined}>
      <span className={css.bar} aria-hidden="true" title={`${formatPercent(share)} of its time`}>
        <i style={{ width: `${(share / largest) * 100}%` }} />
      </span>
      <span>
        <Num value={share} as="percent" />
      </span>
      {!isShort && (
        <span className="quiet">
          <Num value={worker.wait_s} as="seconds" />
        </span>
      )}
    </span>
  );
}
