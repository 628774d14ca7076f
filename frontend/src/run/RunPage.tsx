import { useState } from "react";
import { api } from "../api/client";
import { useResource } from "../api/resource";
import type { Run } from "../api/types";
import { useKeys } from "../app/keys";
import { useTitle } from "../app/title";
import { LossChart } from "../charts/LossChart";
import { WaitChart } from "../charts/WaitChart";
import { CloneDialog } from "../clone/CloneDialog";
import { Overview } from "../timeline/Overview";
import { Timeline } from "../timeline/Timeline";
import type { Selection } from "../timeline/selection";
import { SkeletonPage } from "../ui/Skeleton";
import { FigureStrip } from "./FigureStrip";
import { Header } from "./Header";
import { Legend } from "./Legend";
import { MissingRun, StateNotice } from "./StateNotice";
import { SessionContext, useNews, usePageSession, useSession } from "./session";
import { SidePanel } from "./SidePanel";
import { Tabs } from "./Tabs";
import { TimelineBar } from "./TimelineBar";
import { readSelection, useAddress } from "./address";
import { useIsNarrow, useStored } from "./hooks";
import css from "./RunPage.module.css";

/** One run: who is working, who waits for whom, when the next synchronisation is, and whether the last forecast was right. */
export function RunPage({ runId }: { runId: string }) {
  const session = useSession(runId);
  useNews(session);
  const { data, error } = useResource(`run:${runId}`, (signal) => api.run(runId, signal));
  const { status } = session.store;
  const run = session.store.run ?? data; // the stream's record is the newer one
  useTitle(run?.name ?? "Run");
  if (error?.status === 404 || status.name === "unknown run") return <MissingRun />;
  if (!run && error && !error.isConnection) return <MissingRun sentence={error.message} />;
  if (!run) return <SkeletonPage />;
  return (
    <SessionContext value={session}>
      <Page run={run} />
    </SessionContext>
  );
}

const LOSS_HEIGHT = 108;
const WAIT_HEIGHT = 80;

function Page({ run }: { run: Run }) {
  const [selection, setSelection] = useState<Selection | null>(() => readSelection(new URLSearchParams(window.location.search).get("sel")));
  const [isPanelOpen, setPanelOpen] = useStored("foresync.panel", true);
  const [isCloning, setCloning] = useState(false);
  const isNarrow = useIsNarrow();
  const session = usePageSession();
  useAddress(session, selection);
  const numWorkers = run.spec.cluster.num_workers;
  const select = (next: Selection | null) => {
    setSelection(next);
    if (next && !isNarrow) setPanelOpen(true);
  };
  useKeys("Run", {
    c: { label: "Clone with changes", run: () => setCloning(true) },
    p: { label: "Open or fold the panel", run: () => setPanelOpen(!isPanelOpen) },
    Escape: { label: "Select nothing", run: () => setSelection(null) },
  });
  const isPanelShown = isNarrow ? selection !== null : isPanelOpen;
  return (
    <div className={css.page}>
      <Header run={run} onClone={() => setCloning(true)} />
      <StateNotice run={run} />
      <FigureStrip />
      <div className={css.work} data-panel={(!isNarrow && isPanelShown) || undefined}>
        <section className={css.instrument} aria-label="What happened when">
          <TimelineBar isPanelOpen={isPanelShown} onPanel={isNarrow ? null : () => setPanelOpen(!isPanelOpen)} />
          <div className={css.timeline}>
            <Timeline
              session={session}
              numWorkers={numWorkers}
              selection={selection}
              selectedNode={selection?.node ?? null}
              onSelect={select}
            />
          </div>
          <Overview session={session} />
          <LossChart session={session} height={LOSS_HEIGHT} target={run.spec.stop.target} />
          <WaitChart session={session} height={WAIT_HEIGHT} numWorkers={numWorkers} />
          <Legend />
        </section>
        {isPanelShown && (
          <SidePanel run={run} selection={selection} isSheet={isNarrow} onSelect={select} onClose={() => (isNarrow ? setSelection(null) : setPanelOpen(false))} />
        )}
      </div>
      <Tabs run={run} selectedNode={selection?.node ?? null} onSelect={select} />
      {isCloning && <CloneDialog run={run} onClose={() => setCloning(false)} />}
    </div>
  );
}
