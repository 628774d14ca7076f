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
      const parts = partsOf(run, index, differences);
      const label = [...(isShared && parts.length > 0 ? [] : [run.name]), ...parts].join(", ");
      return [run.id, label];
    }),
  );
}

function partsOf(run: Run, index: number, differences: readonly Difference[]): string[] {
  const policy = differences.filter(({ path }) => path === "policy" || path.startsWith("policy."));
  const rest = differences.filter(({ path }) => !policy.some((one) => one.path === path) && path !== "name");
  const parts = policy.length > 0 ? [policyLabel(run, index, policy)] : [];
  for (const { path, values } of rest.slice(0, 3)) {
    const short = path
      .slice(path.lastIndexOf(".") + 1)
      .replace(/_s$/, "")
      .replaceAll("_", " ");
    parts.push(`${short} ${describeValue(values[index])}`);
  }
  return parts;
}

/** "ssp", or "ssp (threshold 3)" where the settings of equal policies differ. */
function policyLabel(run: Run, index: number, differences: readonly Difference[]): string {
  const settings = differences.flatMap(({ path, values }) => {
    const key = path.slice("policy.".length);
    const isSetting =
      path.startsWith("policy.") && key !== "name" && values[index] !== null && values[index] !== undefined;
    return isSetting ? [`${key.replaceAll("_", " ")} ${describeValue(values[index])}`] : [];
  });
  const name = run.spec.policy.name;
  return settings.length > 0 && settings.length < 3 ? `${name} (${settings.join(", ")})` : name;
}
