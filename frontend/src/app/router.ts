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
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
}

const currentUrl = () => window.location.pathname + window.location.search;

/** Go to a path of the dashboard; `replace` leaves no step behind for "back". */
export function navigate(
  to: string,
  { replace = false, state = null }: { replace?: boolean; state?: unknown } = {},
): void {
  const isSamePath = new URL(to, window.location.href).pathname === window.location.pathname;
  if (replace) window.history.replaceState(state, "", to);
  else window.history.pushState(state, "", to);
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
