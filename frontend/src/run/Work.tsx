import type { Run } from "../api/types";
import { LossChart } from "../charts/LossChart";
import { WaitChart } from "../charts/WaitChart";
import { Overview } from "../timeline/Overview";
import { Timeline } from "../timeline/Timeline";
import type { Selection } from "../timeline/selection";
import { Legend } from "./Legend";
import { SidePanel } from "./SidePanel";
import { usePageSession } from "./session";
import { Tabs } from "./Tabs";
import { TimelineBar } from "./TimelineBar";
import css from "./RunPage.module.css";

interface Props {
  run: Run;
  selection: Selection | null;
  onSelect: (next: Selection | null) => void;
  isNarrow: boolean;
  isPanelOpen: boolean;
  onPanel: (isOpen: boolean) => void;
}

const LOSS_HEIGHT = 108;
const WAIT_HEIGHT = 80;

/** What a run's page holds below its header: the lanes and charts, the panel beside them, the tables under them. */
export function Work({ run, selection, onSelect, isNarrow, isPanelOpen, onPanel }: Props) {
  const session = usePageSession();
  const numWorkers = run.spec.cluster.num_workers;
  const isPanelShown = isNarrow ? selection !== null : isPanelOpen;
  return (
    <>
      <div className={css.work} data-panel={(!isNarrow && isPanelShown) || undefined}>
        <section className={css.instrument} aria-label="What happened when">
          <TimelineBar isPanelOpen={isPanelShown} onPanel={isNarrow ? null : () => onPanel(!isPanelOpen)} />
          <div className={css.timeline}>
            <Timeline
              session={session}
              numWorkers={numWorkers}
              selection={selection}
              selectedNode={selection?.node ?? null}
              onSelect={onSelect}
            />
          </div>
          <Overview session={session} />
          <LossChart session={session} height={LOSS_HEIGHT} target={run.spec.stop.target} />
          <WaitChart session={session} height={WAIT_HEIGHT} numWorkers={numWorkers} />
          <Legend run={run} />
        </section>
        {isPanelShown && (
          <SidePanel run={run} selection={selection} isSheet={isNarrow} onSelect={onSelect} onClose={() => (isNarrow ? onSelect(null) : onPanel(false))} />
        )}
      </div>
      <Tabs run={run} selectedNode={selection?.node ?? null} onSelect={onSelect} />
    </>
  );
}
