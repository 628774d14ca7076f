import type { Run } from "../api/types";
import { describeValue } from "../form/describe";
import { formatCount, formatNumber, formatPercent } from "../format";
import { Facts } from "./SidePanel";
import { useNews, usePageSession } from "./session";
import css from "./SidePanel.module.css";

/** What the run is about and how far it is, while nothing is selected. */
export function RunFacts({ run }: { run: Run }) {
  const session = usePageSession();
  useNews(session);
  const { model } = session.store;
  const { task, cluster, speed, transfer, forecaster } = run.spec;
  const maxLead = Math.max(0, ...model.workers.map((node) => node.maxLead));
  return (
    <section className={css.section}>
      <p className={css.title}>This run</p>
      <Facts
        facts={[
          { name: "task", value: `${task.model} on ${task.dataset}` },
          { name: "workers", value: String(cluster.num_workers) },
          ...(run.is_simulated ? [{ name: "time", value: "virtual (simulated)" }] : []),
          { name: "slowness", value: "factors" in speed ? describeValue(speed.factors) : speed.kind },
          { name: "emulated transfer", value: transfer.transfer_s === 0 ? "none" : `${formatNumber(transfer.transfer_s)} s` },
          { name: "forecaster", value: describeValue(forecaster) },
          { name: "updates applied", value: formatCount(model.version) },
          { name: "iterations", value: formatCount(model.numIterations) },
          { name: "mean staleness", value: formatNumber(model.staleness.mean(0, Infinity)) },
          { name: "largest lead", value: formatCount(maxLead) },
          { name: "best accuracy", value: formatPercent(model.bestAccuracy) },
        ]}
      />
    </section>
  );
}
