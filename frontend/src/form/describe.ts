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

const trim = (text: string) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

function describeList(values: unknown[]): string {
  const texts = values.map(describeValue);
  if (texts.length > 3 && new Set(texts).size === 1) return `${texts[0] ?? ""} (all ${texts.length})`;
  return texts.length > 8 ? `${texts.slice(0, 7).join(", ")}, ... (${texts.length})` : texts.join(", ");
}

/** The kind of a union's value apart from its settings: {head: "ssp", rest: "threshold 3"}. */
export function splitTagged(value: Record<string, unknown>): { head: string; rest: string } {
  const tag = ["name", "kind"].find((key) => typeof value[key] === "string");
  const rest = Object.entries(value)
    .filter(([key]) => key !== tag)
    .map(([key, one]) => `${key.replace(/_s$/, "").replaceAll("_", " ")} ${describeValue(one)}`);
  return { head: tag === undefined ? "" : String(value[tag]), rest: rest.join(", ") };
}

/** "policy.threshold" -> "Policy: threshold"; "seed" -> "Seed". */
export function describePath(path: string): string {
  const [head = "", ...rest] = path.split(".");
  if (rest.length === 0) return labelOf(head, "s");
  return `${labelOf(head)}: ${rest.map((one) => one.replace(/_s$/, "").replaceAll("_", " ")).join(" ")}`;
}
