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

const timeOf = ({ metrics }: Group) => metrics["time_to_target_s"];

/** Whether all runs of a setting have ended without their target. */
const isMissed = (group: Group) => timeOf(group)?.num === 0 && timeOf(group)?.num_bounds === group.members.length;

/**
 * Which setting wins, by how much, and how sure that is: one sentence, or "" where the runs do not tell: some still
 * train, or the mean times and the pairs of one seed say different things.
 */
export function verdictOf(groups: readonly Group[]): string {
  const [first, second] = groups.filter((group) => (timeOf(group)?.mean ?? null) !== null);
  const base = groups.find(({ isBaseline }) => isBaseline);
  if (!first || !base || groups.length < 2) return "";
  if (first === base && !second) {
    const isOnly = groups.every((group) => group === first || isMissed(group));
    return isOnly ? `${first.name} is the only setting that reaches the target.` : "";
  }
  if (isMissed(base)) return `${first.name} reaches the target; ${base.name} does not in the time it had.`;
  const other = first === base ? second : first; // that is compared with the baseline
  if (!other || (timeOf(base)?.mean ?? null) === null) return "";
  const pairs = other.against["time_to_target_s"];
  if (!pairs || pairs.centre === null) return `${first.name} reaches the target first on average; no seed was run with both ${first.name} and ${first === base ? other.name : base.name}.`;
  if (first === base) return pairs.centre < 1 ? "" : `${first.name} reaches the target first; ${other.name} needs ${formatRatio(pairs.centre)} its time${certainty(pairs)}`;
  return pairs.centre > 1 ? "" : `${first.name} reaches the target first, in ${formatRatio(pairs.centre)} the time of ${base.name}${certainty(pairs)}`;
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
