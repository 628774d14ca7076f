import type { Account } from "../api/types";
import { formatPercent, formatSeconds } from "../format";
import { Num } from "../ui/Num";
import table from "../ui/Table.module.css";
import { Panel } from "./Panel";
import { Scroll } from "./Scroll";
import { culprits, waitedS, type Culprit } from "./parts";
import css from "./Account.module.css";

const MOST = 12; // columns; further ones are summed

/** Who waited for whom: the darker, the longer. */
export function MatrixPanel({ account }: { account: Account }) {
  const { shown, rest } = culprits(account, MOST);
  const rows = account.workers.filter(({ parts }) => parts.wait > 0);
  const numQuiet = account.workers.length - rows.length;
  const cells = rows.flatMap(({ worker }) => shown.map((culprit) => waitedS(account, worker, culprit.worker)));
  const largestS = Math.max(...cells, 1e-12);
  const note = "A row waited for a column. Where several were waited for at once, the time is charged to the last one to arrive.";
  return (
    <Panel title="Who waited for whom" basis={account.basis.times} note={note}>
      <Scroll label="Seconds that each worker waited for each other one, and their share of its time" isTall>
        <table className={`${table.table} ${css.matrix ?? ""}`}>
          <caption className="unseen">Seconds that each worker waited for each other one, and their share of its time</caption>
          <thead>
            <tr>
              <th scope="col">waited</th>
              {shown.map(({ worker }) => (
                <th key={worker ?? "nobody"} scope="col" className={table.right}>
                  {worker === null ? "for nobody named" : `for worker ${worker}`}
                </th>
              ))}
              {rest.length > 0 && (
                <th scope="col" className={table.right}>
                  for {rest.length} others
                </th>
              )}
              <th scope="col" className={table.right}>
                in all
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ worker, parts, wall_s }) => (
              <tr key={worker}>
                <th scope="row">worker {worker}</th>
                {shown.map((culprit) => (
                  <Cell key={culprit.worker ?? "nobody"} waiter={worker} culprit={culprit} seconds={waitedS(account, worker, culprit.worker)} largestS={largestS} wallS={wall_s} />
                ))}
                {rest.length > 0 && (
                  <td className={table.right}>
                    <Num value={rest.reduce((sum, one) => sum + waitedS(account, worker, one), 0)} as="seconds" />
                  </td>
                )}
                <td className={table.right}>
                  <Num value={parts.wait} as="seconds" /> <span className="quiet">{formatPercent(parts.wait / wall_s)}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {numQuiet > 0 && <p className={css.note}>{numQuiet === 1 ? "One worker has" : `${numQuiet} workers have`} not waited for anybody.</p>}
    </Panel>
  );
}

interface CellProps {
  waiter: number;
  culprit: Culprit;
  seconds: number;
  largestS: number;
  wallS: number;
}

function Cell({ waiter, culprit, seconds, largestS, wallS }: CellProps) {
  if (seconds === 0) return <td className={table.right} aria-label="none" />;
  const share = wallS > 0 ? seconds / wallS : 0;
  const whom = culprit.worker === null ? "nobody who was named" : `worker ${culprit.worker}`;
  return (
    <td
      className={`${table.right ?? ""} ${css.heat ?? ""}`}
      style={{ "--heat": `${Math.round((8 + 42 * (seconds / largestS)) * 10) / 10}%` }}
      title={`worker ${waiter} waited ${formatSeconds(seconds)} for ${whom}, ${formatPercent(share)} of its time`}
    >
      <Num value={seconds} as="seconds" /> <span className={css.share}>{formatPercent(share)}</span>
    </td>
  );
}
