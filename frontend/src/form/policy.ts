/** A policy in a few words: its name, and of its settings what makes it another one than it is by default. Pure. */

import { describeValue } from "./describe";
import { defaultOf, settable, type Field, type UnionField } from "./schema";
import { isData, isSame } from "./values";

const NONE: ReadonlySet<string> = new Set();

/** "local_sgd" -> "local sgd" */
export const nameOfPolicy = (name: string) => name.replaceAll("_", " ");

/**
 * Give a policy's name, and the settings that tell it from another run of the same policy.
 *
 * A setting is left out where it has its default; the one setting of a policy that has no other (the threshold of ssp)
 * is always told, since people know such a policy by that number.
 *
 * Args:
 *   policies: the union of all policies in the schema; null while it is not known: no setting is told.
 *   differing: names of settings to tell in any case, since others beside it have them otherwise.
 */
export function splitPolicy(
  policy: unknown,
  policies: UnionField | null,
  differing: ReadonlySet<string> = NONE,
): { head: string; rest: string } {
  if (!isData(policy)) return { head: describeValue(policy), rest: "" };
  const name = typeof policy["name"] === "string" ? policy["name"] : "";
  const field = policies?.variants.find(({ label }) => label === name)?.field;
  if (field?.kind !== "group") return { head: nameOfPolicy(name), rest: "" };
  const fields = settable(field);
  const main = fields.filter(({ isAdvanced }) => !isAdvanced);
  const only = main.length === 1 ? main[0] : undefined;
  const isTold = (one: Field) => {
    const value = policy[one.name];
    if (differing.has(one.name)) return true;
    if (value === undefined || (value === null && one === only)) return false;
    return one === only || !isSame(value, defaultOf(one));
  };
  return { head: nameOfPolicy(name), rest: fields.filter(isTold).map((one) => describeSetting(one, policy)).join(", ") };
}

/** "ssp (threshold 3)" */
export function describePolicy(
  policy: unknown,
  policies: UnionField | null,
  differing: ReadonlySet<string> = NONE,
): string {
  const { head, rest } = splitPolicy(policy, policies, differing);
  return rest === "" ? head : `${head} (${rest})`;
}

function describeSetting({ name, unit, label }: Field, policy: Record<string, unknown>): string {
  const value = policy[name];
  if (value === null) return `usual ${label.toLowerCase()}`; // absent is not 0: the policy finds it by itself
  return `${label.toLowerCase()} ${describeValue(value).replaceAll("_", " ")}${unit === "s" ? " s" : ""}`;
}
