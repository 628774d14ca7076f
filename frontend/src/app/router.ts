/**
 * The whole router: the URL is the state of a view, so every view can be linked, reloaded and gone back to.
 */

import { useMemo, useSyncExternalStore } from "react";

export type Page =
  | { name: "experiments" }
  | { name: "experiment"; id: string }
  | { name: "history" }
  | { name: "run"; id: string }
  | { name: "compare" }
  | { name: "unknown" };

/** Tell which page a path stands for. */
export function matchPage(path: string): Page {
  const parts = path.split("/").filter(Boolean).map(decode);
  const [head, id, ...rest] = parts;
  if (head === undefined) return { name: "experiments" };
  if (rest.length > 0) return { name: "unknown" };
  if (head === "experiments") return id === undefined ? { name: "experiments" } : { name: "experiment", id };
  if (head === "runs") return id === undefined ? { name: "history" } : { name: "run", id };
  if (head === "compare" && id === undefined) return { name: "compare" };
  return { name: "unknown" };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a malformed escape is not the name of anything; shown as it came
  }
}

const listeners = new Set<() => void>();

function notify(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    window.addEventListener("popstate", followBrowser);
    window.addEventListener("pagehide", write); // what is loaded again is what was shown
  }
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function followBrowser(): void {
  clearTimeout(timer);
  ahead = null;
  notify();
}

const PACE_MS = 310; // between two writes: browsers ignore or refuse more than 200 in 10 s, or 100 in 30 s

let ahead: { url: string; state: unknown } | null = null; // where the page is, while the address bar waits for its turn
let writtenAtMs = -Infinity;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Path and query of what is shown. The address bar may be a moment behind, while something is dragged. */
export const currentUrl = (): string => ahead?.url ?? window.location.pathname + window.location.search;

/** Its query; of a page that is drawn, `useLocation` tells it. */
export const currentQuery = (): URLSearchParams => new URL(currentUrl(), window.location.origin).searchParams;

function write(): void {
  clearTimeout(timer);
  if (!ahead) return;
  window.history.replaceState(ahead.state, "", ahead.url);
  ahead = null;
  writtenAtMs = performance.now();
}

/** Go to a path of the dashboard; `replace` leaves no step behind for "back". */
export function navigate(
  to: string,
  { replace = false, state = null }: { replace?: boolean; state?: unknown } = {},
): void {
  const isSamePath = new URL(to, window.location.href).pathname === window.location.pathname;
  if (replace) {
    clearTimeout(timer);
    ahead = { url: to, state };
    const waitMs = writtenAtMs + PACE_MS - performance.now();
    if (waitMs <= 0 || !isSamePath) write();
    else timer = setTimeout(write, waitMs);
  } else {
    write();
    window.history.pushState(state, "", to);
  }
  notify();
  if (!replace && !isSamePath) window.scrollTo(0, 0);
}

/** The current path and query; the component is drawn again when they change. */
export function useLocation(): { path: string; query: URLSearchParams } {
  const url = useSyncExternalStore(subscribe, currentUrl);
  return useMemo(() => {
    const { pathname, searchParams } = new URL(url, window.location.origin);
    return { path: pathname, query: searchParams };
  }, [url]);
}

/** Write some keys of the query; null or "" takes a key out. Other keys stay. */
export function changeQuery(query: URLSearchParams, changes: Record<string, string | null>): string {
  const next = new URLSearchParams(query);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === "") next.delete(key);
    else next.set(key, value);
  }
  const text = next.toString();
  return text ? `?${text}` : "";
}
