import { control, type Tuning } from "../api/control";
import { useResource } from "../api/resource";
import type { Run } from "../api/types";
import { describeValue } from "../form/describe";
import { splitPolicy } from "../form/policy";
import { usePolicies } from "../form/PolicyText";
import { formatSeconds } from "../format";
import css from "./Header.module.css";

/** The policy with the settings in force, and what was changed while the run trained: "ssp threshold 3 → 5 (changed at 41 s)". */
export function PolicyLine({ run }: { run: Run }) {
  const policies = usePolicies();
  const key = run.is_retuned ? `tuning:${run.id}:times:${JSON.stringify(run.retuned)}` : null;
  const { data: tuning } = useResource(key, (signal) => control.tuning(run.id, signal));
  const { policy } = run.spec_in_force;
  const changed = new Set(run.retuned.map(({ path }) => path));
  const kept = Object.fromEntries(Object.entries(policy).filter(([name]) => !changed.has(`policy.${name}`)));
  const { head, rest } = splitPolicy(kept, policies);
  const changes = describeChanges(run.retuned, tuning);
  const atStart = run.is_retuned ? `\nat the start: ${describeValue(run.spec.policy)}` : "";
  return (
    <span className={css.policy} title={`${describeValue(policy)}${atStart}`}>
      {head} <span className="quiet">{[rest, ...changes].filter(Boolean).join(", ")}</span>
    </span>
  );
}

/** "threshold 3 → 5 (changed at 41 s)" for each setting that is another one than at the start. */
export function describeChanges(retuned: Run["retuned"], tuning: Pick<Tuning, "changes"> | undefined): string[] {
  const isOtherForecaster = retuned.some(({ path }) => path === "forecaster.name");
  return retuned
    .filter(({ path }) => !isOtherForecaster || path === "forecaster.name" || !path.startsWith("forecaster."))
    .map(({ path, at_start: atStart, in_force: inForce }) => {
      const [part = "", ...rest] = path.split(".");
      const setting = rest.join(" ").replace(/_s$/, "").replaceAll("_", " ");
      const name = part === "policy" ? setting : setting === "name" ? part : `${part} ${setting}`;
      const change = tuning?.changes.findLast(({ settings }) => settings.some((one) => isAt(one.path, path)));
      const time = change ? ` (changed at ${formatSeconds(change.at_s)})` : "";
      return `${name} ${describeValue(atStart)} → ${describeValue(inForce)}${time}`;
    });
}

/** Whether a change of this path, perhaps of a whole part, has changed that setting. */
const isAt = (changed: string, path: string) => changed === path || path.startsWith(`${changed}.`);
