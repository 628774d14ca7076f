/** The run that others are compared with: one for the whole server. */

import { putResource, useResource } from "../api/resource";
import type { Run } from "../api/types";
import { historyApi } from "./historyApi";
import type { Baseline } from "./types";

const KEY = "baseline";
const REFRESH_MS = 30_000;

export interface BaselineChoice {
  run: Run | null; // null: none is pinned, or it is not known yet
  pin: (runId: string) => Promise<void>;
  unpin: () => Promise<void>;
}

async function pin(runId: string): Promise<void> {
  const pinned = await historyApi.pinBaseline(runId);
  putResource<Baseline>(KEY, () => pinned);
}

async function unpin(): Promise<void> {
  await historyApi.unpinBaseline();
  putResource<Baseline>(KEY, () => ({ run: null }));
}

/** Read the pinned baseline, and change it. Every view that reads it follows. */
export function useBaseline(): BaselineChoice {
  const { data } = useResource<Baseline>(KEY, historyApi.baseline, REFRESH_MS);
  return { run: data?.run ?? null, pin, unpin };
}
