import type { RunState } from "./types";

/** Whether a run of this state is still on its way: worth asking again soon. */
export function isActive(state: RunState): boolean {
  return state === "queued" || state === "starting" || state === "running" || state === "stopping";
}
