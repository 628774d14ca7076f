import { api } from "../api/client";
import { useResource } from "../api/resource";
import type { Account, Run } from "../api/types";
import { formatPercent, formatSeconds } from "../format";
import { LoadFault } from "../ui/LoadFault";
import { SkeletonRows } from "../ui/Skeleton";
import { CountsPanel } from "./CountsPanel";
import { CriticalPanel } from "./CriticalPanel";
import { MatrixPanel } from "./MatrixPanel";
import { PartsPanel } from "./PartsPanel";
import { PredictionsPanel } from "./PredictionsPanel";
import { SentencesPanel } from "./SentencesPanel";
import { TrafficPanel, WorkPanel } from "./WorkPanel";
import css from "./Account.module.css";

const LIVE_MS = 3_000;
const COUNTING_MS = 250; // a long log is counted a piece at a time
const LIVE_STATES = new Set(["queued", "starting", "running", "stopping"]);

/** Why the workers waited, and where the rest of their time went. */
export function AccountTab({ run }: { run: Run }) {
  const { data, error } = useResource(
    `account:${run.id}`,
    (signal) => api.account(run.id, signal),
    (known) => (known && !known.is_complete ? COUNTING_MS : LIVE_STATES.has(run.state) ? LIVE_MS : 0),
  );
  if (!data && error) return <LoadFault error={error} resource={`account:${run.id}`} />;
  if (!data) return <SkeletonRows num={8} label="Counting where the time went" />;
  if (data.workers.length === 0) {
    return (
      <p className="quiet">
        {LIVE_STATES.has(run.state)
          ? "Where each worker’s time goes, and for whom it waits, stands here once the workers have joined."
          : "No worker ever joined this run, so there is no time to account for."}
      </p>
    );
  }
  return <AccountView account={data} />;
}

/** The whole account. The first lines answer the question in words. */
export function AccountView({ account }: { account: Account }) {
  const [head, ...others] = account.answer;
  const hasWaited = account.total.parts.wait > 0;
  return (
    <div className={css.account}>
      <header className={css.answer}>
        <p className={css.headline}>{head}</p>
        {others.length > 0 && <p>{others.join(" ")}</p>}
        <p className="quiet">{progress(account)}</p>
      </header>
      <PartsPanel account={account} />
      {hasWaited && (
        <div className={css.pair}>
          <MatrixPanel account={account} />
          <SentencesPanel account={account} />
        </div>
      )}
      {hasWaited && <CriticalPanel account={account} />}
      <div className={css.grid}>
        <PredictionsPanel account={account} />
        <CountsPanel
          title="Staleness"
          basis={account.basis.times}
          unit="updates"
          counts={account.staleness}
          what="Updates that the server applied between a worker’s pull and the arrival of its push; one for each push that was applied."
          none="No push has been applied yet."
        />
        <CountsPanel
          title="Lead"
          basis={account.basis.times}
          unit="iterations"
          counts={account.lead}
          what="How far a worker was ahead of the slowest one when its push arrived."
          none="No push has arrived yet."
        />
        <WorkPanel account={account} />
        <TrafficPanel account={account} />
      </div>
    </div>
  );
}

function progress(account: Account): string {
  if (!account.is_complete) {
    return `Counted so far: ${formatPercent(account.counted_share)} of the log, up to ${formatSeconds(account.until_s)}. The figures are of that part.`;
  }
  const whole = account.basis.times === "simulated" ? "All times are simulated: virtual, exact and repeatable." : "All times are measured.";
  return account.is_finished ? whole : `${whole} The run goes on: this is its account up to ${formatSeconds(account.until_s)}.`;
}
