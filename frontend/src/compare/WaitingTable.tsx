import type { Run, WorkerSummary } from "../api/types";
import { formatPercent } from "../format";
import { Num } from "../ui/Num";
import { RunName } from "./MetricTable";
import type { RunStyle } from "./styles";
import table from "../ui/Table.module.css";
import css from "./tables.module.css";

interface Props {
  runs: readonly Run[];
  labels: ReadonlyMap<string, string>;
  styles: ReadonlyMap<string, RunStyle>;
}

/** How long each worker waited in each run: bars share one scale, so that they compare across and down. */
export function WaitingTable({ runs, labels, styles }: Props) {
  const workers = [...new Set(runs.flatMap(({ summary }) => summary.workers.map(({ worker }) => worker)))].toSorted(
    (a, b) => a - b,
  );
  const largest = Math.max(0.01, ...runs.flatMap(({ summary }) => summary.workers.map(shareOf)));
  if (workers.length === 0) return <p className="quiet">No worker has done anything yet.</p>;
  return (
    <div className={table.scroll}>
      <table className={table.table}>
        <caption className="unseen">Waiting of each worker, as a share of its time and in seconds</caption>
        <thead>
          <tr>
            <th scope="col" className={css.run}>
              Worker
            </th>
            {runs.map((run) => (
              <th key={run.id} scope="col">
                <RunName run={run} label={labels.get(run.id) ?? run.name} style={styles.get(run.id)} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {workers.map((worker) => (
            <tr key={worker}>
              <th scope="row" className={css.run}>
                {worker}
              </th>
              {runs.map(({ id, summary }) => (
                <td key={id}>
                  <Bar worker={summary.workers.find((one) => one.worker === worker)} largest={largest} />
                </td>
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

function Bar({ worker, largest }: { worker: WorkerSummary | undefined; largest: number }) {
  if (!worker) return <span className="quiet">not there</span>;
  const share = shareOf(worker);
  return (
    <span className={css.worker}>
      <span className={css.bar} aria-hidden="true" title={`${formatPercent(share)} of its time`}>
        <i style={{ width: `${(share / largest) * 100}%` }} />
      </span>
      <span>
        <Num value={share} as="percent" />
      </span>
      <span className="quiet">
        <Num value={worker.wait_s} as="seconds" />
      </span>
    </span>
  );
}
