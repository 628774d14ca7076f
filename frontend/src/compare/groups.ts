/** Runs of one setting that differ in the seed alone are repetitions: how sure a difference is. Pure. */

import type { Run } from "../api/types";
import type { Metric } from "./metrics";

export interface Group {
  key: string;
  runs: Run[];
}

/** Put runs of the same settings together, in the order of their first run. */
export function groupRuns(runs: readonly Run[]): Group[] {
  const groups = new Map<string, Group>();
  for (const run of runs) {
    const { seed: _seed, name: _name, ...settings } = run.spec;
    const key = JSON.stringify(sortKeys(settings));
    const group = groups.get(key) ?? { key, runs: [] };
    group.runs.push(run);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([key, one]) => [key, sortKeys(one)]),
  );
}

export interface Spread {
  mean: number;
  low: number;
  high: number;
  num: number;
}

/** Mean and range of a metric over a group's seeds; null where no run has an exact value. */
export function spreadOf(metric: Metric, runs: readonly Run[]): Spread | null {
  const values = runs.flatMap((run) => metric.of(run) ?? []).filter(({ isBound }) => !isBound);
  return values.length === 0 ? null : rangeOf(values.map(({ value }) => value));
}

function rangeOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, low: Math.min(...values), high: Math.max(...values), num: values.length };
}

/** A group against the baseline's, seed by seed: the same seed has the same data order, weights and speeds. */
export function pairedRatios(metric: Metric, group: Group, baseline: Group): Spread | null {
  const bySeed = new Map(baseline.runs.map((run) => [run.spec.seed, metric.of(run)]));
  const ratios = group.runs.flatMap((run) => {
    const [mine, base] = [metric.of(run), bySeed.get(run.spec.seed)];
    if (!mine || !base || mine.isBound || base.isBound || base.value === 0) return [];
    return [metric.difference === "points" ? mine.value - base.value : mine.value / base.value];
  });
  return ratios.length === 0 ? null : rangeOf(ratios);
}
