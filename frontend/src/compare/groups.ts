/** Settings over their seeds, as the server has grouped them: names, order, and what may be said about who wins. Pure. */

import type { Comparison, MetricAgainst, Run, SettingGroup } from "../api/types";
import type { UnionField } from "../form/schema";
import { formatCount, formatRatio, plural } from "../format";
import { labelRuns } from "./labels";

/** One setting with its runs. */
export interface Group extends SettingGroup {
  id: string; // of its earliest run: stays when runs are added
  name: string;
  members: Run[];
  isBaseline: boolean;
}

/** Put names and runs to the server's groups: the fastest first, then those that missed the target. */
export function groupsOf(comparison: Comparison, policies: UnionField | null): Group[] {
  const byId = new Map(comparison.runs.map((run) => [run.id, run]));
  const names = settingNames(comparison, policies);
  const groups = comparison.groups.map((group): Group => {
    const [first = ""] = group.run_ids.toSorted();
    const isBaseline = Object.keys(group.against).length === 0;
    return {
      ...group,
      id: first,
      name: names.get(group.run_ids[0] ?? "") ?? "",
      members: group.run_ids.flatMap((id) => byId.get(id) ?? []),
      isBaseline,
    };
  });
  const rank = ({ metrics }: Group) => {
    const time = metrics["time_to_target_s"];
    return time && time.mean !== null ? time.mean * (1 + time.num_bounds * 1e6) : Infinity;
  };
  return groups.toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
}

/** What tells a setting apart, without the seed, by the id of each run. */
function settingNames({ runs, differences }: Comparison, policies: UnionField | null): Map<string, string> {
  const sameName = runs.map((run) => ({ ...run, name: run.experiment_name }));
  const isOneExperiment = new Set(sameName.map(({ name }) => name)).size === 1;
  const alike = isOneExperiment ? sameName : sameName.map((run) => ({ ...run, name: "" }));
  const withoutSeed = differences.filter(({ path }) => path !== "seed" && path !== "name");
  const labels = labelRuns(alike, withoutSeed, policies);
  return new Map(runs.map(({ id, name }) => [id, withoutSeed.length > 0 ? (labels.get(id) ?? name) : name]));
}

export const isRepeated = (groups: readonly SettingGroup[]) => groups.some(({ seeds }) => seeds.length > 1);

/** A ratio or difference whose 95% interval lies on one side of "no change". */
export function isSure({ low, high }: MetricAgainst, isRatio: boolean): boolean {
  const nothing = isRatio ? 1 : 0;
  return low !== null && high !== null && (high < nothing || low > nothing);
}

/** Which setting wins, by how much, and how sure that is: one sentence, or "" where the runs do not tell. */
export function verdictOf(groups: readonly Group[]): string {
  const timed = groups.filter(({ metrics }) => (metrics["time_to_target_s"]?.mean ?? null) !== null);
  const base = groups.find(({ isBaseline }) => isBaseline);
  const [first, second] = timed;
  if (!first || !base || groups.length < 2) return "";
  if (first !== base) {
    const pairs = first.against["time_to_target_s"];
    const missed = base.metrics["time_to_target_s"]?.mean === null;
    if (missed || !pairs || pairs.centre === null) return `${first.name} reaches the target; ${base.name} does not in the time it had.`;
    return `${first.name} reaches the target first, in ${formatRatio(pairs.centre)} the time of ${base.name}${certainty(pairs)}`;
  }
  const pairs = second?.against["time_to_target_s"];
  if (!second || !pairs || pairs.centre === null) return `${first.name} is the only setting that reaches the target.`;
  return `${first.name} reaches the target first; ${second.name} needs ${formatRatio(pairs.centre)} its time${certainty(pairs)}`;
}

function certainty(pairs: MetricAgainst): string {
  if (pairs.low === null || pairs.high === null) return ". One pair of runs: it may be chance, more seeds tell.";
  const interval = `95% interval ${formatRatio(pairs.low)} to ${formatRatio(pairs.high)}, ${plural(pairs.num_pairs, "common seed")}`;
  return isSure(pairs, true) ? ` (${interval}).` : ` (${interval}: that includes no difference at all).`;
}

/** "better in 5 of 5", with a missed target counted as lost. */
export function tally({ num_better, num_worse, num_pairs }: MetricAgainst): string {
  const num = Math.max(num_pairs, num_better + num_worse);
  return `better in ${formatCount(num_better)} of ${formatCount(num)}`;
}
