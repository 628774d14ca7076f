import { useState } from "react";
import { api } from "../api/client";
import { useResource } from "../api/resource";
import type { Run } from "../api/types";
import { useKeys } from "../app/keys";
import { useLater } from "../app/later";
import { currentQuery } from "../app/router";
import { useTitle } from "../app/title";
import { CloneDialog } from "../clone/CloneDialog";
import type { Selection } from "../timeline/selection";
import { SkeletonPage } from "../ui/Skeleton";
import { FigureStrip } from "./FigureStrip";
import { Header } from "./Header";
import { MissingRun, StateNotice } from "./StateNotice";
import { SessionContext, useNews, usePageSession, useSession } from "./session";
import { readSelection, useAddress } from "./address";
import { useIsNarrow, useStored } from "./hooks";
import css from "./RunPage.module.css";

/** One run: who is working, who waits for whom, when the next synchronisation is, and whether the last forecast was right. */
export function RunPage({ runId }: { runId: string }) {
  const { data, error } = useResource(`run:${runId}`, (signal) => api.run(runId, signal));
  const session = useSession(runId, data);
  useNews(session);
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

/** The lanes, the charts and the tables: much code, which comes beside the page's own and is drawn after the header. */
const loadWork = () => import("./Work");

function Page({ run }: { run: Run }) {
  const [selection, setSelection] = useState<Selection | null>(() => readSelection(currentQuery().get("sel")));
  const [isPanelOpen, setPanelOpen] = useStored("foresync.panel", true);
  const [isCloning, setCloning] = useState(false);
  const isNarrow = useIsNarrow();
  const session = usePageSession();
  useAddress(session, selection);
  const parts = useLater(loadWork);
  const select = (next: Selection | null) => {
    setSelection(next);
    if (next && !isNarrow) setPanelOpen(true);
  };
  useKeys("Run", {
    c: { label: "Clone with changes", run: () => setCloning(true) },
    p: { label: "Open or fold the panel", run: () => setPanelOpen(!isPanelOpen) },
    Escape: { label: "Select nothing", run: () => setSelection(null) },
  });
  return (
    <div className={css.page}>
      <Header run={run} onClone={() => setCloning(true)} />
      <StateNotice run={run} />
      <FigureStrip />
      {parts ? (
        <parts.Work
          run={run}
          selection={selection}
          onSelect={select}
          isNarrow={isNarrow}
          isPanelOpen={isPanelOpen}
          onPanel={setPanelOpen}
        />
      ) : (
        <div className={css.coming} />
      )}
      {isCloning && <CloneDialog run={run} onClose={() => setCloning(false)} />}
    </div>
  );
}
