import type { Account } from "../api/types";
import { formatPercent, formatSeconds } from "../format";
import { exactTime } from "../timeline/ticks";
import { Num } from "../ui/Num";
import table from "../ui/Table.module.css";
import { Panel } from "./Panel";
import { Scroll } from "./Scroll";
import { stretches } from "./parts";
import css from "./Account.module.css";

/** For each slice of time: how much was waited, and who was waited for most. */
export function CriticalPanel({ account }: { account: Account }) {
  const { slice_s, workers, seconds, waited_s } = account.critical;
  const num = Math.max(workers.length, 1);
  const shares = waited_s.map((one) => one / (slice_s * account.workers.length));
  const largest = Math.max(...shares, 1e-9);
  const found = stretches(workers);
  const note = `Slices of ${formatSeconds(slice_s)}. The height is the share of all workers’ time that was spent waiting, at most ${formatPercent(largest)}; the full colour is what the worker below was waited for.`;
  return (
    <Panel title="Who was waited for, over time" basis={account.basis.times} note={note}>
      <div className={css.slices} aria-hidden="true">
        {workers.map((worker, place) => {
          const share = shares[place] ?? 0;
          const whole = waited_s[place] ?? 0;
          const title = `${exactTime(place * slice_s)} to ${exactTime((place + 1) * slice_s)}: ${formatPercent(share)} waiting${worker === null ? "" : `, ${formatPercent((seconds[place] ?? 0) / (whole || 1))} of it for worker ${worker}`}`;
          return (
            <span key={place} title={title}>
              <i style={{ height: `${(share / largest) * 100}%` }}>
                <b style={{ height: `${((seconds[place] ?? 0) / (whole || 1)) * 100}%` }} />
              </i>
            </span>
          );
        })}
      </div>
      <div className={css.stretches} aria-hidden="true">
        {found.map(({ worker, first, num: length }) => (
          <span key={first} style={{ flexGrow: length }} data-none={worker === null || undefined} title={worker === null ? "nobody was waited for" : `worker ${worker}`}>
            {worker !== null && (length / num > 0.12 ? `worker ${worker}` : length / num > 0.025 ? worker : "")}
          </span>
        ))}
      </div>
      <div className={css.axis} aria-hidden="true">
        <span>0 s</span>
        <span>{formatSeconds(Math.min(num * slice_s, Math.max(account.until_s, slice_s)))}</span>
      </div>
      <details className={css.behind}>
        <summary>The same as a table</summary>
        <CriticalTable account={account} />
      </details>
    </Panel>
  );
}

function CriticalTable({ account }: { account: Account }) {
  const { slice_s, workers, seconds, waited_s } = account.critical;
  return (
    <Scroll label="Who was waited for most, by stretch of time">
      <table className={table.table}>
        <caption className="unseen">Who was waited for most, by stretch of time</caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">To</th>
            <th scope="col">Waited for most</th>
            <th scope="col" className={table.right}>
              For that worker
            </th>
            <th scope="col" className={table.right}>
              Waiting of all
            </th>
          </tr>
        </thead>
        <tbody>
          {stretches(workers).map(({ worker, first, num }) => (
            <tr key={first}>
              <td>{exactTime(first * slice_s)}</td>
              <td>{exactTime((first + num) * slice_s)}</td>
              <th scope="row">{worker === null ? "nobody" : `worker ${worker}`}</th>
              <td className={table.right}>
                <Num value={sum(seconds, first, num)} as="seconds" />
              </td>
              <td className={table.right}>
                <Num value={sum(waited_s, first, num)} as="seconds" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function sum(values: readonly number[], first: number, num: number): number {
  return values.slice(first, first + num).reduce((total, one) => total + one, 0);
}
