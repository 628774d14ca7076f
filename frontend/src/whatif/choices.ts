/**
 * Which policies are asked about, each with values for its settings; as the address holds it and as the server takes it.
 *
 * In the address a policy is its name, then for each setting that has other values than its default one
 * `.setting*value*value`; policies stand apart by spaces: `bsp ssp.threshold*1*2*4`. Pure functions.
 */

import { checkField, parseNumber } from "../form/check";
import { describeValue } from "../form/describe";
import { defaultOf, fieldAt, settable, type Field, type GroupField, type UnionField, type Variant } from "../form/schema";
import { isSame, type Data } from "../form/values";

/** A policy, and the values that each of its settings is tried with; a setting that is absent keeps its default. */
export interface Choice {
  name: string;
  values: Record<string, unknown[]>;
}

export const DEFAULTS = "defaults"; // in the address: every policy as it comes, ssp with several thresholds
const SSP_THRESHOLDS = [1, 2, 4, 8];

/** Every policy with its defaults, ssp with several thresholds: what one click asks. */
export function defaultChoices(policies: UnionField): Choice[] {
  return policies.variants.map(({ label }) => ({ name: label, values: label === "ssp" ? { threshold: SSP_THRESHOLDS } : {} }));
}

/** The union of all policies in the schema of a spec. */
export function policiesOf(root: GroupField): UnionField {
  const field = fieldAt(root, "policy");
  if (field?.kind !== "union") throw new Error("the policy of a spec must be a union");
  return field;
}

export function variantNamed(union: UnionField, name: string): Variant | undefined {
  return union.variants.find(({ label }) => label === name);
}

/** The settings of a policy that can be varied, those for experts last. */
export function settingsOf(variant: Variant): Field[] {
  if (variant.field.kind !== "group") return [];
  return settable(variant.field).toSorted((a, b) => Number(a.isAdvanced) - Number(b.isAdvanced));
}

/** Give what the server takes. */
export function toRequest(choices: readonly Choice[]): Data[] {
  return choices.map(({ name, values }) => ({ name, ...values }));
}

/** How many predictions the choices stand for. */
export function numQuestions(choices: readonly Choice[]): number {
  return choices.reduce((sum, { values }) => sum + Object.values(values).reduce((num, some) => num * some.length, 1), 0);
}

// ---- the address -------------------------------------------------------------------------------------------

/** Write the choices for the address; "" for none. */
export function writeChoices(choices: readonly Choice[], policies: UnionField): string {
  if (choices.length === 0) return "";
  if (isSame(choices, defaultChoices(policies))) return DEFAULTS;
  const write = ({ name, values }: Choice) =>
    [name, ...Object.entries(values).map(([key, some]) => [key, ...some.map(writeValue)].join("*"))].join(".");
  return choices.map(write).join(" ");
}

/** Read them again; what the schema does not know is left out. */
export function readChoices(text: string | null, policies: UnionField): Choice[] {
  if (!text) return [];
  if (text === DEFAULTS) return defaultChoices(policies);
  return text.split(" ").flatMap((part) => {
    const [name = "", ...rest] = part.split(/\.(?=[a-z_]+\*)/);
    const variant = variantNamed(policies, name);
    if (!variant) return [];
    const known = new Map(settingsOf(variant).map((field) => [field.name, field]));
    const values: Choice["values"] = {};
    for (const one of rest) {
      const [key = "", ...texts] = one.split("*");
      const field = known.get(key);
      if (field) values[key] = texts.map((value) => readValue(value, field));
    }
    return [{ name, values }];
  });
}

const writeValue = (value: unknown) => (value === null ? "none" : typeof value === "string" ? value : JSON.stringify(value));

// ---- what is typed -----------------------------------------------------------------------------------------

/** Read one typed value of a field; what is none of its values stays text, and is complained about. */
export function readValue(text: string, field: Field): unknown {
  const trimmed = text.trim();
  if (field.kind === "optional") return trimmed === "none" || trimmed === "" ? null : readValue(trimmed, field.field);
  if (field.kind === "number") return parseNumber(trimmed);
  if (field.kind === "boolean") return trimmed === "yes" || trimmed === "true" ? true : trimmed === "no" || trimmed === "false" ? false : trimmed;
  return trimmed;
}

/** Read "1, 2, 4"; each value once. */
export function readValues(text: string, field: Field): unknown[] {
  const parts = text.split(/[,;]/).map((part) => part.trim());
  const values = parts.filter((part) => part !== "").map((part) => readValue(part, field));
  return values.filter((value, index) => values.findIndex((one) => isSame(one, value)) === index);
}

export function writeValues(values: readonly unknown[]): string {
  return values.map(describeValue).join(", ");
}

/** What is wrong with the values of a setting; "" where nothing is. */
export function problemOf(values: readonly unknown[], field: Field): string {
  if (values.length === 0) return "needs a value";
  for (const value of values) {
    const [problem] = checkField(field, value, field.name);
    if (problem) return `${describeValue(value)} ${problem.wish}`;
  }
  return "";
}

/** Give the choices with other values for a setting; its default alone is not written down. */
export function withValues(choices: readonly Choice[], name: string, field: Field, values: unknown[]): Choice[] {
  const isDefault = values.length === 1 && isSame(values[0], defaultOf(field));
  return choices.map((choice) => {
    if (choice.name !== name) return choice;
    const { [field.name]: _old, ...others } = choice.values;
    return { ...choice, values: isDefault ? others : { ...others, [field.name]: values } };
  });
}
