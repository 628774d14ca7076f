import { createContext, use, useEffect, useMemo, useSyncExternalStore } from "react";
import type { RunModel } from "../store/model";
import { RunStore } from "../store/runStore";
import { FrameLoop } from "../timeline/frames";
import { TimeView } from "../timeline/view";

/** What all parts of the Run page share: the fold, the stretch of time that is seen, the loop of frames. */
export interface Session {
  store: RunStore;
  view: TimeView;
  loop: FrameLoop;
}

export function useSession(runId: string): Session {
  const session = useMemo(() => makeSession(runId), [runId]);
  useEffect(() => {
    const { store, view, loop } = session;
    const forget = store.subscribe(loop.request);
    const stop = loop.add((atMs) => {
      const lengthS = suitableLength(store.model);
      if (lengthS !== null) view.suggest(lengthS);
      return view.tick(atMs, store.nowS(), store.isRunning);
    });
    store.open();
    return () => {
      forget();
      stop();
      store.close();
      loop.stop();
    };
  }, [session]);
  return session;
}

function makeSession(runId: string): Session {
  const loop = new FrameLoop();
  const isCalm = window.matchMedia("(prefers-reduced-motion: reduce)");
  return { store: new RunStore(runId), view: new TimeView(loop.request, () => !isCalm.matches), loop };
}

const NUM_ITERATIONS = 48; // of the slowest worker, that are seen at first

/** Give the seconds in which single iterations can be told apart, or null while nothing is known of them. */
function suitableLength({ workers, numIterations }: RunModel): number | null {
  if (workers.length === 0 || numIterations < 6 * workers.length) return null;
  const { length } = workers;
  const slowestS = Math.max(...workers.map(({ track, iteration }) => ((track.lastEndS ?? 0) - (track.start[0] ?? 0)) / Math.max(1, iteration)));
  return Math.min(Math.max(NUM_ITERATIONS * slowestS, 5), length > 16 ? 20 : 60);
}

export const SessionContext = createContext<Session | null>(null);

/** The session of the page that the component stands on. */
export function usePageSession(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error("this part belongs on a Run page");
  return session;
}

/** Draw the component again when there is news, at most four times a second. */
export function useNews({ store }: Session): number {
  return useSyncExternalStore(store.subscribe, store.snapshot);
}
