/** The settings of a grid as text, and what the prediction says of each. */

import type { Estimate } from "../api/types";
import { describeValue } from "../form/describe";
import { describePolicy } from "../form/policy";
import type { UnionField } from "../form/schema";
import type { Draft } from "./draft";

/** "ssp (threshold 3), learning rate 0.1" for each setting of a grid, in the order in which its runs are queued. */
export function nameSettings(grid: Draft["grid"], policies: UnionField | null): string[] {
  return Object.entries(grid).reduce<string[]>(
    (names, [path, values]) =>
      names.flatMap((name) => values.map((value) => [name, nameValue(path, value, policies)].filter(Boolean).join(", "))),
    [""],
  );
}

function nameValue(path: string, value: unknown, policies: UnionField | null): string {
  if (path === "policy") return describePolicy(value, policies);
  return `${path.slice(path.lastIndexOf(".") + 1).replace(/_s$/, "").replaceAll("_", " ")} ${describeValue(value)}`;
}

export interface SettingEstimate {
  name: string;
  low_s: number;
  high_s: number | null; // null: nothing bounds it
  basis: string;
}

/** One line for each setting: the range over its seeds. Runs that no longer belong to these settings stand for themselves. */
export function bySetting(runs: Estimate["runs"], names: readonly string[]): SettingEstimate[] {
  const numSeeds = runs.length / names.length;
  if (!Number.isInteger(numSeeds)) return runs.map(({ policy, ...run }) => ({ ...run, name: policy }));
  return names.map((name, index) => {
    const own = runs.slice(index * numSeeds, (index + 1) * numSeeds);
    const highs = own.map(({ high_s }) => high_s);
    return {
      name: name || (own[0]?.policy ?? ""),
      low_s: Math.min(...own.map(({ low_s }) => low_s)),
      high_s: highs.includes(null) ? null : Math.max(...highs.map(Number)),
      basis: own[0]?.basis ?? "",
    };
  });
}
