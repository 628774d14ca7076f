/** Settings as text: one line for a list, a table or a summary. */

import { formatNumber } from "../format";
import { labelOf } from "./schema";
import { isData } from "./values";

/** "ssp (threshold 3)", "1, 1, 1, 4", "none", "0.1". */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return "none";
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : trim(formatNumber(value));
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return describeList(value);
  if (isData(value)) {
    const { head, rest } = splitTagged(value);
    if (head === "") return rest;
    return rest ? `${head} (${rest})` : head;
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A setting's value with the unit that its name carries: ("transfer_s", 0.05) -> "0.05 s". */
export function describeSetting(key: string, value: unknown): string {
  const text = describeValue(value);
  return typeof value === "number" && key.endsWith("_s") ? `${text}\u202fs` : text;
}

const trim = (text: string) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

function describeList(values: unknown[]): string {
  if (values.length === 0) return "none";
  const texts = values.map((value) => describeValue(isData(value) ? withoutNothing(value) : value));
  if (texts.length > 3 && new Set(texts).size === 1) return `${texts[0] ?? ""} (all ${texts.length})`;
  const between = values.some(isData) ? "; " : ", "; // what has parts of its own is told apart
  return texts.length > 8 ? `${texts.slice(0, 7).join(between)}${between}... (${texts.length})` : texts.join(between);
}

/** What is absent from one of many is not worth a word. */
function withoutNothing(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null));
}

/** The kind of a union's value apart from its settings: {head: "ssp", rest: "threshold 3"}. */
export function splitTagged(value: Record<string, unknown>): { head: string; rest: string } {
  const tag = ["name", "kind"].find((key) => typeof value[key] === "string");
  const rest = Object.entries(value)
    .filter(([key]) => key !== tag)
    .map(([key, one]) => `${key.replace(/_s$/, "").replaceAll("_", " ")} ${describeSetting(key, one)}`);
  return { head: tag === undefined ? "" : String(value[tag]), rest: rest.join(", ") };
}

/** "policy.threshold" -> "Policy: threshold"; "seed" -> "Seed". */
export function describePath(path: string): string {
  const [head = "", ...rest] = path.split(".");
  if (rest.length === 0) return labelOf(head, "s");
  return `${labelOf(head)}: ${rest.map((one) => one.replace(/_s$/, "").replaceAll("_", " ")).join(" ")}`;
}
