import type { Run } from "../api/types";

/** How near a run is to the nearest end that its spec sets in time or iterations; null where it sets none. */
export function progressOf({ spec, summary }: Pick<Run, "spec" | "summary">): number | null {
  const { seconds, iterations } = spec.stop;
  const shares: number[] = [];
  if (seconds !== null) shares.push(summary.duration_s / seconds);
  if (iterations !== null && summary.workers.length > 0) {
    const slowest = Math.min(...summary.workers.map(({ num_iterations }) => num_iterations));
    shares.push(slowest / iterations); // all workers have to do so many
  }
  return shares.length > 0 ? Math.min(1, Math.max(...shares)) : null;
}
