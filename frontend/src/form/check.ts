/**
 * What the schema alone can tell about a value, at once and in the server's words.
 *
 * The server decides; this only answers faster than a request, and while the connection is lost.
 */

import type { FieldProblem } from "../api/types";
import { formatNumber } from "../format";
import { variantOf, type Field, type NumberField } from "./schema";
import { isData, join } from "./values";

/** Check a value; `path` is its dotted path. Gives one problem for each field that is wrong. */
export function checkField(field: Field, value: unknown, path: string): FieldProblem[] {
  const complain = (wish: string): FieldProblem[] => [{ field: path, value, wish }];
  switch (field.kind) {
    case "number": {
      const wish = checkNumber(field, value);
      return wish ? complain(wish) : [];
    }
    case "text":
      if (typeof value !== "string" || value.length < field.minLength) return complain("is required");
      return value.length > field.maxLength ? complain(`must have at most ${field.maxLength} characters`) : [];
    case "choice":
      return field.options.includes(value) ? [] : complain(`must be one of ${field.options.map(String).join(", ")}`);
    case "boolean":
      return typeof value === "boolean" ? [] : complain("must be true or false");
    case "optional":
      return value === null || value === undefined ? [] : checkField(field.field, value, path);
    case "group":
      return isData(value)
        ? field.fields.flatMap((one) =>
            one.name in value ? checkField(one, value[one.name], join(path, one.name)) : [],
          )
        : complain("is required");
    case "list":
      if (!Array.isArray(value)) return complain("must be a list");
      if (value.length < field.minItems) return complain(`must have at least ${field.minItems} entries`);
      if (value.length > field.maxItems) return complain(`must have at most ${field.maxItems} entries`);
      return value.flatMap((one, index) => checkField(field.item, one, join(path, String(index))));
    case "union": {
      const variant = field.variants[variantOf(field, value)];
      return variant ? checkField(variant.field, value, path) : complain("is required");
    }
  }
}

function checkNumber(field: NumberField, value: unknown): string | undefined {
  if (value === "" || value === null || value === undefined) return "is required";
  if (typeof value !== "number" || !Number.isFinite(value)) return "must be a number";
  if (field.isInteger && !Number.isInteger(value)) return "must be a whole number";
  if (field.min !== undefined && value < field.min) return `must be >= ${field.min}`;
  if (field.above !== undefined && value <= field.above) return `must be > ${field.above}`;
  if (field.max !== undefined && value > field.max) return `must be <= ${field.max}`;
  if (field.below !== undefined && value >= field.below) return `must be < ${field.below}`;
  return undefined;
}

/** Read what somebody typed into a number field; what is no number stays text, and is complained about. */
export function parseNumber(text: string): number | string {
  const trimmed = text.trim();
  if (trimmed === "") return "";
  const value = Number(trimmed.replace("−", "-"));
  return Number.isFinite(value) && /^[-−+.\deE]+$/.test(trimmed) ? value : trimmed;
}

/** The limits in words, for the help: "1 to 64", "above 0, at most 100", "" without limits. */
export function limitsOf(field: Field): string {
  if (field.kind === "optional") return limitsOf(field.field);
  if (field.kind === "list") return limitsOf(field.item);
  if (field.kind !== "number") return "";
  const { min, above, max, below } = field;
  const isHuge = (value: number) => value >= 1e6;
  const high = max ?? below;
  if (min !== undefined && max !== undefined && !isHuge(max)) return `${formatLimit(min)} to ${formatLimit(max)}`;
  const parts = [];
  if (above !== undefined) parts.push(`above ${formatLimit(above)}`);
  else if (min !== undefined) parts.push(`${formatLimit(min)} or more`);
  if (high !== undefined && !isHuge(high))
    parts.push(`${max === undefined ? "below" : "at most"} ${formatLimit(high)}`);
  return parts.join(", ");
}

const formatLimit = (value: number) => (Math.abs(value) < 1e5 ? String(value) : formatNumber(value));
