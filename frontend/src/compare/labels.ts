/** What each compared run is called: by its name where that tells it apart, else by what differs. Pure. */

import type { Difference, Run } from "../api/types";
import { describeValue } from "../form/describe";

export function labelRuns(runs: readonly Run[], differences: readonly Difference[]): Map<string, string> {
  const names = runs.map(({ name }) => name);
  const isUnique = new Set(names).size === runs.length;
  const isShared = new Set(names).size === 1;
  return new Map(
    runs.map((run, index) => {
      if (isUnique) return [run.id, run.name];
      const parts = partsOf(runs, run, index, differences);
      const label = [...(isShared && parts.length > 0 ? [] : [run.name]), ...parts].join(", ");
      return [run.id, label];
    }),
  );
}

function partsOf(runs: readonly Run[], run: Run, index: number, differences: readonly Difference[]): string[] {
  const policy = differences.filter(({ path }) => path === "policy" || path.startsWith("policy."));
  const rest = differences.filter(({ path }) => !policy.some((one) => one.path === path) && path !== "name");
  const parts = policy.length > 0 ? [policyLabel(runs, run, index, policy)] : [];
  for (const { path, values } of rest.slice(0, 3)) {
    const short = path
      .slice(path.lastIndexOf(".") + 1)
      .replace(/_s$/, "")
      .replaceAll("_", " ");
    parts.push(`${short} ${describeValue(values[index])}`);
  }
  return parts;
}

/** "ssp", or "ssp (threshold 3)" where runs of this policy differ in that. */
function policyLabel(runs: readonly Run[], run: Run, index: number, differences: readonly Difference[]): string {
  const { name } = run.spec.policy;
  const ofPolicy = runs.flatMap((other, place) => (other.spec.policy.name === name ? [place] : []));
  const settings = differences.flatMap(({ path, values }) => {
    const key = path.slice("policy.".length);
    if (!path.startsWith("policy.") || key === "name") return [];
    const isAlike = ofPolicy.every((place) => JSON.stringify(values[place]) === JSON.stringify(values[index]));
    return isAlike ? [] : [`${key.replaceAll("_", " ")} ${describeValue(values[index])}`];
  });
  return settings.length > 0 ? `${name} (${settings.slice(0, 3).join(", ")})` : name;
}
