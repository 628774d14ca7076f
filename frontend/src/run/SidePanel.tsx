import { useEffect, useRef } from "react";
import type { Run } from "../api/types";
import { nameOfPolicy } from "../form/policy";
import { formatPercent, formatSeconds, plural } from "../format";
import { iterationScore, nextForecast, nextText, SHARE_HELP, trackRecord, WARM_UP_HELP } from "../store/forecast";
import { ratio } from "../store/figures";
import { nodeName } from "../store/model";
import { describe, type Fact } from "../timeline/describe";
import type { Selection } from "../timeline/selection";
import { exactTime } from "../timeline/ticks";
import { NodeFacts } from "./NodeFacts";
import { RunFacts } from "./RunFacts";
import { scoreFacts } from "./scoreFacts";
import { useNews, usePageSession } from "./session";
import { CloseButton } from "../ui/IconButton";
import css from "./SidePanel.module.css";

interface Props {
  run: Run;
  selection: Selection | null;
  isSheet: boolean;
  onSelect: (selection: Selection | null) => void;
  onClose: () => void;
}

/** What is selected, in all detail; nothing selected: how the forecasts hold. A sheet at the foot where it is narrow. */
export function SidePanel({ run, selection, isSheet, onSelect, onClose }: Props) {
  const session = usePageSession();
  useNews(session);
  const { model } = session.store;
  const nowS = session.store.nowS();
  const node = selection?.node ? model.nodes.get(selection.node) : undefined;
  const description = selection ? describe(model, selection, nowS) : null;
  const sheet = useRef<HTMLElement>(null);
  useEffect(() => {
    if (isSheet) sheet.current?.scrollTo(0, 0);
  }, [isSheet, selection]);
  return (
    <aside ref={sheet} className={css.panel} data-sheet={isSheet || undefined} aria-label="Details">
      <header className={css.head}>
        <h2>{selection ? titleOf(selection) : "Forecast"}</h2>
        <CloseButton onClick={selection ? () => onSelect(null) : onClose} aria-label={selection ? "Select nothing" : "Fold the panel"} title={selection ? "Select nothing (Esc)" : "Fold the panel (P)"} />
      </header>
      {description && (
        <section className={css.section}>
          <p className={css.title}>{description.title}</p>
          {description.reason && <p className={css.reason}>{description.reason}</p>}
          <Facts facts={description.facts} />
        </section>
      )}
      {selection && !description && !node && <p className={css.section}>This node has not been heard of yet.</p>}
      {node && <NodeFacts node={node} />}
      {!selection && <ForecastSection run={run} />}
      {!selection && <RunFacts run={run} />}
    </aside>
  );
}

function titleOf(selection: Selection): string {
  if (selection.kind === "sync" || selection.kind === "window") return "Synchronisation";
  return selection.node ? capital(nodeName(selection.node)) : "Event";
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className={css.facts}>
      {facts.map(({ name, value, help }) => (
        <div key={name} title={help}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** How the forecasts of the next synchronisation and of the workers' iterations hold, as far as the policy makes any. */
function ForecastSection({ run }: { run: Run }) {
  const { store } = usePageSession();
  const { model } = store;
  const nowS = store.nowS();
  const next = store.isLive ? nextForecast(model) : null;
  const record = trackRecord(model);
  const hasIterations = model.workers.some(({ forecasts }) => forecasts.length > 0);
  if (!next && record.num === 0) {
    // Where figures are known to come, their place is kept: what stands below does not move.
    if (hasIterations) return <IterationSection />;
    return (
      <section className={css.section} data-expects={run.summary.forecasts ? true : undefined}>
        <p>{model.numEvents === 0 ? "Nothing has happened yet." : `Under ${nameOfPolicy(run.spec.policy.name)}, no synchronisation is predicted.`}</p>
        <p className="quiet">Select a node or a moment on the timeline for its details.</p>
      </section>
    );
  }
  return (
    <>
      {next && (
        <section className={css.section}>
          <p className={css.title}>{capital(nextText(model, next, nowS))}</p>
          {next.reason && <p className={css.reason}>{next.reason}</p>}
          <Facts
            facts={[
              { name: "predicted for", value: exactTime(next.cutS) },
              { name: "window, 5–95%", value: `${exactTime(next.lowS)} to ${exactTime(next.highS)}` },
              { name: "predicted idle share", value: formatPercent(next.idle) },
            ]}
          />
        </section>
      )}
      <section className={css.section}>
        <p className={css.title}>So far</p>
        <Facts
          facts={[
            { name: "predicted", value: plural(record.num, "synchronisation") },
            { name: "inside their window", value: formatPercent(ratio(record.numCovered, record.num)) },
            { name: "wanted", value: "90%" },
            { name: "mean error", value: formatSeconds(record.num > 0 ? record.meanErrorS : null) },
          ]}
        />
      </section>
      {hasIterations && <IterationSection />}
    </>
  );
}

function IterationSection() {
  const { model } = usePageSession().store;
  const score = iterationScore(model);
  return (
    <section className={css.section} data-expects>
      <p className={css.title}>When each worker’s iteration ends</p>
      <Facts facts={scoreFacts(score, model.isSimulated)} />
      <p className="quiet">
        {score.num > 0 && `${SHARE_HELP} `}
        {WARM_UP_HELP}
      </p>
    </section>
  );
}
