/**
 * What a view reads from the server: shown at once from memory when known, then fetched, then kept fresh.
 *
 * One entry for each key, shared by all views; while nobody looks (no view, or a hidden tab) nothing is asked.
 * An answer that says the same as the last one draws nothing.
 *
 * Lists of runs are asked for when the server has told that runs have changed: at once when a run has come, gone or
 * changed its state, its name or its tags, in the usual rhythm when only figures have changed, and not at all while
 * nothing changes, but for a look from time to time, since not everything that a list shows is of a run.
 */

import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { onReconnect } from "../app/connection";
import { liveHub } from "../store/hub";
import { ApiError } from "./client";
import { answerAtOnce } from "./pageAnswers";

export interface Resource<T> {
  data: T | undefined;
  error: ApiError | undefined;
  isLoading: boolean; // nothing to show yet: draw a skeleton
}

interface Entry {
  state: Resource<unknown>;
  text: string; // the last answer, to tell whether a new one differs
  viewers: Set<() => void>;
  fetching: { controller: AbortController; done: Promise<void> } | undefined;
  fetchedMs: number;
  isLive: boolean; // was asked for again and again
  news: "none" | "figures" | "states"; // of runs, since it was asked for
}

const MAX_ENTRIES = 200;
const OLD_MS = 10_000; // what is asked for once is asked for again when a later visit finds it older than this
const LOADING: Resource<unknown> = { data: undefined, error: undefined, isLoading: true };
const entries = new Map<string, Entry>();

function entryOf(key: string, fetcher?: Fetcher): Entry {
  let entry = entries.get(key);
  if (!entry) {
    const data = fetcher && answerAtOnce(fetcher);
    const isKnown = data !== undefined;
    entry = {
      state: isKnown ? { data, error: undefined, isLoading: false } : LOADING,
      text: isKnown ? JSON.stringify(data) : "",
      viewers: new Set(),
      fetching: undefined,
      fetchedMs: isKnown ? performance.now() : -Infinity,
      isLive: false,
      news: "none",
    };
    entries.set(key, entry);
    for (const [oldKey, old] of entries) {
      if (entries.size <= MAX_ENTRIES) break;
      if (old.viewers.size === 0 && oldKey !== key) entries.delete(oldKey);
    }
  }
  return entry;
}

function change(entry: Entry, state: Resource<unknown>): void {
  entry.state = state;
  for (const viewer of entry.viewers) viewer();
}

type Fetcher = (signal: AbortSignal) => Promise<unknown>;

/** Ask the server, unless that is being done already. */
function refresh(key: string, fetcher: Fetcher): Promise<void> {
  const entry = entryOf(key);
  if (!entry.fetching) {
    const controller = new AbortController();
    entry.news = "none";
    const done = ask(entry, fetcher, controller.signal).finally(() => {
      if (entry.fetching?.controller !== controller) return;
      entry.fetching = undefined;
      entry.fetchedMs = entry.news === "states" ? -Infinity : performance.now(); // told while it was asked for
    });
    entry.fetching = { controller, done };
  }
  return entry.fetching.done;
}

async function ask(entry: Entry, fetcher: Fetcher, signal: AbortSignal): Promise<void> {
  try {
    const data = await fetcher(signal);
    if (signal.aborted) return; // something newer has taken its place
    const text = JSON.stringify(data);
    if (text === entry.text && !entry.state.error) return;
    entry.text = text;
    change(entry, { data, error: undefined, isLoading: false });
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof ApiError)) throw error;
    // What was known stays on the page while the connection is lost; a refusal (404) takes its place.
    const data = error.isConnection ? entry.state.data : undefined;
    if (data === undefined) entry.text = "";
    change(entry, { data, error, isLoading: false });
  }
}

/** Ask before what shows the answer is drawn, where drawing takes its time. */
export function askEarly(key: string, fetcher: Fetcher): void {
  if (entryOf(key, fetcher).state.isLoading) void refresh(key, fetcher);
}

/** Forget a request that is under way: its answer is out of date. */
function abandon(entry: Entry): void {
  entry.fetching?.controller.abort();
  entry.fetching = undefined;
}

/** Put an answer in place without asking, e.g. what a PATCH has returned. */
export function putResource<T>(key: string, update: (old: T | undefined) => T | undefined): void {
  const entry = entryOf(key);
  const data = update(entry.state.data as T | undefined);
  if (data === undefined) return;
  abandon(entry);
  entry.text = JSON.stringify(data);
  change(entry, { data, error: undefined, isLoading: false });
}

/** Say that everything whose key starts like this has changed: views that show it ask at once. */
export function invalidate(prefix: string): void {
  for (const [key, entry] of entries) {
    if (!key.startsWith(prefix)) continue;
    abandon(entry);
    entry.fetchedMs = -Infinity;
  }
  for (const wake of sleepers) wake();
}

const sleepers = new Set<() => void>();

/** One thing that is asked for again and again. */
export interface Question {
  key: string;
  fetcher: Fetcher;
  refreshMs: number; // 0 = once
}

const LOOK_MS = 20_000; // a list of which no change is told is looked at so seldom
const LISTS = /^(runs|experiment|compare|queue)/; // keys of what shows runs
const STATES_ONLY = /^(experiments|queue)/; // of these, those that show no figures of a run

/** Give how long an answer is good for. */
function goodForMs(key: string, entry: Entry, refreshMs: number): number {
  return LISTS.test(key) && liveHub().tellsList && entry.news === "none" ? Math.max(LOOK_MS, refreshMs) : refreshMs;
}

/** Be told when a list has to be asked for again; gives what ends it. */
function watchRuns(key: string, tick: () => void): () => void {
  if (!LISTS.test(key)) return () => undefined;
  return liveHub().watchList((_, isUrgent) => {
    if (!isUrgent && STATES_ONLY.test(key)) return;
    const entry = entryOf(key);
    if (isUrgent) entry.fetchedMs = -Infinity;
    if (entry.news !== "states") entry.news = isUrgent ? "states" : "figures";
    tick();
  });
}

function view(key: string, viewer: () => void): () => void {
  const { viewers } = entryOf(key);
  viewers.add(viewer);
  return () => {
    viewers.delete(viewer);
  };
}

/** Ask now where it is due, and again in time while the page is seen; gives what ends it. */
function keepFresh({ key, fetcher, refreshMs }: Question): () => void {
  let timer: number | undefined;
  let isWanted = true;
  let isFirst = true;
  const tick = () => {
    window.clearTimeout(timer);
    if (document.hidden) return; // `visibilitychange` wakes it
    const entry = entryOf(key);
    const ageMs = performance.now() - entry.fetchedMs;
    const goodMs = goodForMs(key, entry, refreshMs);
    const isDue = refreshMs > 0 ? ageMs >= goodMs : entry.isLive || ageMs >= (isFirst ? OLD_MS : Infinity);
    isFirst = false;
    if (isDue) {
      entry.isLive = refreshMs > 0; // what stops being live is asked for once more: the last answer may lack the end
      void refresh(key, fetcher).finally(() => isWanted && tick());
    } else if (refreshMs > 0) timer = window.setTimeout(tick, goodMs - ageMs);
  };
  tick();
  sleepers.add(tick);
  document.addEventListener("visibilitychange", tick);
  const forget = onReconnect(() => {
    entryOf(key).fetchedMs = -Infinity;
    tick();
  });
  const forgetRuns = refreshMs > 0 ? watchRuns(key, tick) : () => undefined;
  return () => {
    isWanted = false;
    window.clearTimeout(timer);
    sleepers.delete(tick);
    document.removeEventListener("visibilitychange", tick);
    forget();
    forgetRuns();
  };
}

/**
 * Read something from the server.
 *
 * Args:
 *   key: its name; null = nothing is wanted yet. The fetcher must depend on the key alone.
 *   fetcher: how to get it.
 *   refreshMs: how often to ask again while the page is seen; 0 = once. May depend on what was read.
 */
export function useResource<T>(
  key: string | null,
  fetcher: (signal: AbortSignal) => Promise<T>,
  refreshMs: number | ((data: T | undefined) => number) = 0,
): Resource<T> {
  const subscribe = useCallback((viewer: () => void) => (key === null ? () => undefined : view(key, viewer)), [key]);
  const state = useSyncExternalStore(subscribe, () => (key === null ? LOADING : entryOf(key, fetcher).state)) as Resource<T>;
  const everyMs = typeof refreshMs === "function" ? refreshMs(state.data) : refreshMs;
  useEffect(
    () => (key === null ? undefined : keepFresh({ key, fetcher, refreshMs: everyMs })),
    // The key stands for the fetcher.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [key, everyMs],
  );
  return state;
}

/** Keep showing the last answer while another question (a filter, a page) is under way; `isOld` says so. */
export function useKept<T>(data: T | undefined): { data: T | undefined; isOld: boolean } {
  const [kept, setKept] = useState(data);
  if (data !== undefined && data !== kept) setKept(data);
  return { data: data ?? kept, isOld: data === undefined && kept !== undefined };
}
