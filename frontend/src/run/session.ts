import { createContext, use, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { Run } from "../api/types";
import type { RunModel } from "../store/model";
import { RunStore } from "../store/runStore";
import { FrameLoop } from "../timeline/frames";
import { Playback } from "../timeline/playback";
import { TimeView } from "../timeline/view";

/** What all parts of the Run page share: the fold, the stretch of time that is seen, the loop of frames. */
export interface Session {
  store: RunStore;
  view: TimeView;
  loop: FrameLoop;
  playback: Playback;
  subscribePlayback: (listener: () => void) => () => void;
}

/** The moment that is shown as now: the play-head's, or the run's own. */
export function shownS({ store, playback }: Session): number {
  return playback.headS ?? store.nowS();
}

/** Follow a run while the component is there; `known` is its record, where the page has it from the start. */
export function useSession(runId: string, known?: Run): Session {
  const session = useMemo(
    () => {
      const store = new RunStore(runId);
      if (known) store.run = known;
      return makeSession(store);
    },
    // What is known later comes by the stream.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [runId],
  );
  useEffect(() => {
    const { store, view, loop, playback } = session;
    const forget = store.subscribe(loop.request);
    const forgetPast = store.subscribePast(loop.request);
    const stop = loop.add((atMs) => {
      const lengthS = suitableLength(store.model);
      if (lengthS !== null) view.suggest(lengthS);
      const isPlaying = playback.tick(atMs, store.nowS());
      return view.tick(atMs, store.nowS(), store.isRunning) || isPlaying;
    });
    store.open();
    const openSoon = setTimeout(loop.open, OPEN_MS);
    return () => {
      clearTimeout(openSoon);
      forget();
      forgetPast();
      stop();
      store.close();
      loop.stop();
    };
  }, [session]);
  return session;
}

const OPEN_MS = 1_500; // a run of which nothing is known has no lanes to wait for

/** Put together what the parts of a page share. */
export function makeSession(store: RunStore): Session {
  const loop = new FrameLoop();
  const isCalm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const view = new TimeView(loop.request, () => !isCalm.matches);
  const listeners = new Set<() => void>();
  const playback = new Playback(view, () => {
    loop.request();
    for (const listener of listeners) listener();
  });
  const subscribePlayback = (listener: () => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  return { store, view, loop, playback, subscribePlayback };
}

const NUM_ITERATIONS = 48; // of the slowest worker, that are seen at first

/** Give the seconds in which single iterations can be told apart, or null while nothing is known of them. */
function suitableLength({ past, lastS, steps, workers, numIterations }: RunModel): number | null {
  if (workers.length === 0 || numIterations < 6 * workers.length) return null;
  const { length } = workers;
  if (past && steps.length === 0) return null;
  if (past) return Math.max(0.05, ((NUM_ITERATIONS * (lastS - past.untilS)) / steps.length) * length); // of the newest ones
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

/** Draw the component again when there is news, at most four times a second; of many rows, only at each `stride`-th news. */
export function useNews({ store }: Session, stride = 1): number {
  const isOver = store.status.name === "ended"; // its last news must not be left out
  return useSyncExternalStore(store.subscribe, () => (stride === 1 || isOver ? store.snapshot() : -Math.floor(store.snapshot() / stride)));
}

export const MANY_NODES = 40; // from which a table of them is drawn less often, and not before the lanes

/** The same for a table with a row for each node. */
export function useNodeNews(session: Session): number {
  return useNews(session, session.store.model.nodes.size > MANY_NODES ? 8 : 1);
}

/** Whether the lanes have been painted; what takes long to make waits for it. */
export function useIsOpen({ loop }: Session): boolean {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => loop.whenOpen(() => setOpen(true)), [loop]);
  return isOpen;
}
