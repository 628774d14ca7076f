/** What is compared, which way is better, and by how much. Pure. */

import type { Run } from "../api/types";
import { formatPercent, formatRatio } from "../format";

/** A figure of one run. A bound is known only from below: "not reached in 55 s". */
export interface Figure {
  value: number;
  isBound: boolean;
}

export interface Metric {
  key: string;
  title: string;
  as: "seconds" | "percent" | "bytes" | "count" | "number";
  better: "low" | "high" | null; // null: neither is better
  difference: "ratio" | "points"; // against the baseline
  help?: string;
  isOptional?: boolean; // left out where no run has it
  of: (run: Run) => Figure | null;
}

const exactly = (value: number | null | undefined): Figure | null =>
  value === null || value === undefined ? null : { value, isBound: false };

/** A run that ended without its target needs longer than it had. */
export function timeToTarget({ spec, summary }: Run): Figure | null {
  if (summary.time_to_target_s !== null) return exactly(summary.time_to_target_s);
  if (!spec.stop.target || summary.outcome === null || summary.outcome === "failed") return null;
  return { value: summary.duration_s, isBound: true };
}

export const METRICS: Metric[] = [
  { key: "target", title: "Time to target", as: "seconds", better: "low", difference: "ratio", of: timeToTarget },
  {
    key: "accuracy",
    title: "Accuracy",
    as: "percent",
    better: "high",
    difference: "points",
    of: ({ summary }) => exactly(summary.final_accuracy ?? summary.test_accuracy),
  },
  {
    key: "utilisation",
    title: "Utilisation",
    as: "percent",
    better: "high",
    difference: "ratio",
    of: ({ summary }) => exactly(summary.utilisation),
  },
  {
    key: "wait",
    title: "Waiting",
    as: "percent",
    better: "low",
    difference: "ratio",
    of: ({ summary }) => exactly(summary.wait_share),
  },
  {
    key: "bytes",
    title: "Bytes",
    as: "bytes",
    better: "low",
    difference: "ratio",
    of: ({ summary }) => exactly(summary.bytes),
  },
  {
    key: "rate",
    title: "Iterations/s",
    as: "number",
    better: "high",
    difference: "ratio",
    of: ({ summary }) => exactly(summary.iterations_per_s),
  },
  {
    key: "coverage",
    title: "Forecasts held",
    as: "percent",
    better: null, // 90% is wanted: more says that the windows are too wide
    difference: "points",
    help: "Iterations that ended inside their predicted 5–95% window; 90% is wanted. The first 20 of a worker are not judged.",
    isOptional: true,
    of: ({ summary }) => exactly(summary.forecasts?.coverage),
  },
];

/** The metrics that at least one of the runs can have. */
export function metricsOf(runs: readonly Run[]): Metric[] {
  return METRICS.filter(({ isOptional, of }) => !isOptional || runs.some((run) => of(run) !== null));
}

/** The value that no other run beats; null where nothing is to be won (one run, all alike, no direction). */
export function bestOf(metric: Metric, runs: readonly Run[]): number | null {
  if (metric.better === null) return null;
  const known = runs.flatMap((run) => metric.of(run) ?? []);
  const exact = known.filter(({ isBound }) => !isBound).map(({ value }) => value);
  if (exact.length === 0 || known.length < 2) return null;
  if (known.every(({ value, isBound }) => !isBound && value === exact[0])) return null;
  return metric.better === "low" ? Math.min(...exact) : Math.max(...exact);
}

/** A run against the baseline, as text: "0.62×", "at least 1.8×", "+0.40 points"; "" where it cannot be said. */
export function against(metric: Metric, run: Run, baseline: Run): string {
  const [mine, base] = [metric.of(run), metric.of(baseline)];
  if (!mine || !base || (mine.isBound && base.isBound)) return "";
  if (metric.difference === "points") return formatPoints(mine.value - base.value);
  if (base.value === 0) return "";
  const bound = mine.isBound ? "> " : base.isBound ? "< " : "";
  return bound + formatRatio(mine.value / base.value);
}

/** A difference of shares in points of a per cent. */
export function formatPoints(share: number): string {
  const text = formatPercent(Math.abs(share)).replace("%", "");
  if (share === 0) return "±0 pt";
  return `${share > 0 ? "+" : "−"}${text} pt`;
}

/** Whether all runs chase the same target, so that their times compare. */
export function hasOneTarget(runs: readonly Run[]): boolean {
  const targets = runs.map(({ spec }) => JSON.stringify(spec.stop.target));
  return new Set(targets).size <= 1;
}
