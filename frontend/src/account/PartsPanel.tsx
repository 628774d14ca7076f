import type { Account, AccountWorker } from "../api/types";
import { formatPercent, formatSeconds } from "../format";
import { Num } from "../ui/Num";
import table from "../ui/Table.module.css";
import { Panel } from "./Panel";
import { Scroll } from "./Scroll";
import { piecesOf, secondsOf, usedParts, type PartKey } from "./parts";
import css from "./Account.module.css";

/** A bar for each worker that adds up to its wall time, in the colours of the timeline. */
export function PartsPanel({ account }: { account: Account }) {
  const longestS = Math.max(...account.workers.map(({ wall_s }) => wall_s), 1e-9);
  return (
    <Panel title="Where each worker’s time went" basis={account.basis.times}>
      <Legend account={account} />
      <ol className={css.bars} data-many={account.workers.length > 24 || undefined}>
        {account.workers.map((worker) => (
          <Bar key={worker.worker} account={account} worker={worker} longestS={longestS} />
        ))}
      </ol>
      <details className={css.behind}>
        <summary>The same as a table</summary>
        <PartsTable account={account} />
      </details>
    </Panel>
  );
}

function Legend({ account }: { account: Account }) {
  return (
    <ul className={css.legend} aria-label="What the colours mean">
      {usedParts(account).map(({ key, label, meaning }) => (
        <li key={key} title={meaning}>
          <i className={css.piece} data-part={key} aria-hidden="true" />
          {label}
        </li>
      ))}
    </ul>
  );
}

interface BarProps {
  account: Account;
  worker: AccountWorker;
  longestS: number;
}

function Bar({ account, worker, longestS }: BarProps) {
  const pieces = piecesOf(account, worker.parts, worker.unaccounted_s);
  const share = (seconds: number) => (worker.wall_s > 0 ? seconds / worker.wall_s : 0);
  const text = pieces.map(({ label, seconds }) => `${label} ${formatSeconds(seconds)} (${formatPercent(share(seconds))})`).join(", ");
  return (
    <li className={css.lane}>
      <span className={css.name}>
        worker {worker.worker}
        {worker.num_lives > 1 && <span className="quiet">, {worker.num_lives} lives</span>}
      </span>
      <span className={css.track}>
        <span className={css.bar} role="img" aria-label={`worker ${worker.worker}: ${text}`} style={{ width: `${(worker.wall_s / longestS) * 100}%` }}>
          {pieces.map(({ key, label, seconds }) => (
            <i
              key={key}
              className={css.piece}
              data-part={key}
              style={{ flexGrow: seconds }}
              title={`${label}: ${formatSeconds(seconds)}, ${formatPercent(share(seconds))} of its time`}
            />
          ))}
        </span>
      </span>
      <span className={css.figure} title="How much of its time it waited for others">
        waited <Num value={share(worker.parts.wait)} as="percent" />
      </span>
      <span className={css.figure} title="From its first joining to its end, or to now">
        <Num value={worker.wall_s} as="seconds" />
      </span>
    </li>
  );
}

function PartsTable({ account }: { account: Account }) {
  const used = usedParts(account);
  return (
    <Scroll label="Wall time of each worker by part">
      <table className={table.table}>
        <caption className="unseen">Wall time of each worker by part</caption>
        <thead>
          <tr>
            <th scope="col">Worker</th>
            {used.map(({ key, label, meaning }) => (
              <th key={key} scope="col" className={table.right} title={meaning}>
                {label}
              </th>
            ))}
            <th scope="col" className={table.right}>
              wall time
            </th>
          </tr>
        </thead>
        <tbody>
          {account.workers.map(({ worker, parts, unaccounted_s, wall_s }) => (
            <Row key={worker} name={`worker ${worker}`} cells={used.map(({ key }) => secondsOf(key as PartKey, parts, unaccounted_s))} wallS={wall_s} />
          ))}
          <Row
            name="all"
            cells={used.map(({ key }) => secondsOf(key as PartKey, account.total.parts, account.total.unaccounted_s))}
            wallS={account.total.wall_s}
          />
        </tbody>
      </table>
    </Scroll>
  );
}

function Row({ name, cells, wallS }: { name: string; cells: readonly number[]; wallS: number }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      {cells.map((seconds, place) => (
        <td key={place} className={table.right}>
          <Num value={seconds} as="seconds" /> <span className="quiet">{formatPercent(wallS > 0 ? seconds / wallS : 0)}</span>
        </td>
      ))}
      <td className={table.right}>
        <Num value={wallS} as="seconds" />
      </td>
    </tr>
  );
}
