/**
 * Whether the server answers, as one fact for the header.
 *
 * Everything that talks to the server reports here. While it is lost, a small request is repeated until the
 * server answers again; views then refresh by `onReconnect`.
 */

import { useSyncExternalStore } from "react";

export type Connection = "ok" | "slow" | "lost";

export const SLOW_MS = 1500;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 8000;

let state: Connection = "ok";
let retryMs = FIRST_RETRY_MS;
let timer: number | undefined;
const listeners = new Set<() => void>();
const reconnected = new Set<() => void>();

function become(next: Connection): void {
  if (next === state) return;
  const wasLost = state === "lost";
  state = next;
  for (const listener of listeners) listener();
  if (wasLost) for (const listener of reconnected) listener();
}

/** Say that the server has answered, and how long it took. */
export function reportAnswer(tookMs: number): void {
  retryMs = FIRST_RETRY_MS;
  window.clearTimeout(timer);
  timer = undefined;
  become(tookMs > SLOW_MS ? "slow" : "ok");
}

/** Say that an answer is overdue. */
export function reportSlow(): void {
  if (state === "ok") become("slow");
}

/** Say that the server could not be reached. */
export function reportLoss(): void {
  become("lost");
  if (timer !== undefined) return;
  timer = window.setTimeout(
    () => {
      timer = undefined;
      void probe();
    },
    retryMs * (0.75 + Math.random() / 2),
  ); // jitter: many pages must not come back at one instant
  retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
}

async function probe(): Promise<void> {
  const startMs = performance.now();
  try {
    await fetch("/api/v1/health", { cache: "no-store" });
    reportAnswer(performance.now() - startMs);
  } catch {
    reportLoss();
  }
}

/** Call back when a lost connection has come back. */
export function onReconnect(listener: () => void): () => void {
  reconnected.add(listener);
  return () => reconnected.delete(listener);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useConnection(): Connection {
  return useSyncExternalStore(subscribe, () => state);
}
