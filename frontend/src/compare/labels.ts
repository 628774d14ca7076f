/** What each compared run is called: by its name where that tells it apart, else by what differs. Pure. */

import type { Difference, Run } from "../api/types";
import { describeValue } from "../form/describe";
import { describePolicy } from "../form/policy";
import type { UnionField } from "../form/schema";

interface Known {
  runs: readonly Run[];
  policies: UnionField | null; // null while they are not known
}

export function labelRuns(
  runs: readonly Run[],
  differences: readonly Difference[],
  policies: UnionField | null,
): Map<string, string> {
  const names = runs.map(({ name }) => name);
  const isUnique = new Set(names).size === runs.length;
  const isShared = new Set(names).size === 1;
  return new Map(
    runs.map((run, index) => {
      if (isUnique) return [run.id, run.name];
      const parts = partsOf({ runs, policies }, run, index, differences);
      const label = [...(isShared && parts.length > 0 ? [] : [run.name]), ...parts].join(", ");
      return [run.id, label];
    }),
  );
}

function partsOf(known: Known, run: Run, index: number, differences: readonly Difference[]): string[] {
  const policy = differences.filter(({ path }) => path === "policy" || path.startsWith("policy."));
  const rest = differences.filter(({ path }) => !policy.some((one) => one.path === path) && path !== "name");
  const parts = policy.length > 0 ? [policyLabel(known, run, index, policy)] : [];
  for (const { path, values } of rest.slice(0, 3)) {
    const short = path
      .slice(path.lastIndexOf(".") + 1)
      .replace(/_s$/, "")
      .replaceAll("_", " ");
    parts.push(`${short} ${describeValue(values[index])}`);
  }
  return parts;
}

/** "ssp (threshold 3)": as everywhere, and with each setting in which runs of this policy differ. */
function policyLabel({ runs, policies }: Known, run: Run, index: number, differences: readonly Difference[]): string {
  const { policy } = run.spec_in_force;
  const ofPolicy = runs.flatMap((other, place) => (other.spec_in_force.policy.name === policy.name ? [place] : []));
  const differing = differences.flatMap(({ path, values }) => {
    const isAlike = ofPolicy.every((place) => JSON.stringify(values[place]) === JSON.stringify(values[index]));
    return isAlike ? [] : [path.slice("policy.".length)];
  });
  return describePolicy(policy, policies, new Set(differing));
}
