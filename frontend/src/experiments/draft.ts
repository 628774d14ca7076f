/**
 * The experiment that is being written: a run's settings, those that take several values, and the seeds.
 *
 * Pure functions on plain data. A path in `grid` overrules the same path in `run`; no path of the grid lies inside
 * another (`absorb` sees to it), so that each control of the form edits exactly one place.
 */

import type { ExperimentSpec } from "../api/types";
import { complete, fieldAt, type GroupField } from "../form/schema";
import { getAt, overlay, setAt, type Data } from "../form/values";

export interface Draft {
  name: string;
  run: Data;
  grid: Record<string, unknown[]>;
  seeds: string; // as typed: "1, 2, 5-8"
}

const PER_WORKER = ["speed.factors"]; // lists with one entry for each worker
export const NUM_WORKERS = "cluster.num_workers";

/** Open an experiment's spec for editing; what it leaves open takes the default. */
export function draftOf(spec: ExperimentSpec, root: GroupField, defaults: unknown): Draft {
  const run = complete(root, overlay(defaults, spec.run)) as Data;
  const draft: Draft = { name: spec.name, run, grid: {}, seeds: formatSeeds(spec.seeds) };
  return Object.entries(spec.grid).reduce((one, [path, values]) => {
    const field = fieldAt(root, path);
    return absorb(one, path, field ? values.map((value) => complete(field, value)) : values);
  }, draft);
}

/** Give what the server takes. The run's own name and seed come from the experiment. */
export function specOf(draft: Draft): {
  name: string;
  run: Data;
  grid: Record<string, unknown[]>;
  seeds: (number | string)[];
} {
  const { name: _name, seed: _seed, ...run } = draft.run;
  return { name: draft.name.trim(), run, grid: draft.grid, seeds: parseSeeds(draft.seeds) };
}

/** Add a path with its values to the grid, so that no path lies inside another: both become one list of products. */
function absorb(draft: Draft, path: string, values: readonly unknown[]): Draft {
  const outer = Object.keys(draft.grid).find((one) => path.startsWith(`${one}.`));
  if (outer !== undefined) {
    const inside = path.slice(outer.length + 1);
    const products = (draft.grid[outer] ?? []).flatMap((one) => values.map((value) => setAt(one, inside, value)));
    return { ...draft, grid: { ...draft.grid, [outer]: products } };
  }
  let products: unknown[] = [...values];
  const grid: Draft["grid"] = {};
  for (const [inner, innerValues] of Object.entries(draft.grid)) {
    if (!inner.startsWith(`${path}.`)) grid[inner] = innerValues;
    else
      products = products.flatMap((one) => innerValues.map((value) => setAt(one, inner.slice(path.length + 1), value)));
  }
  return { ...draft, grid: { ...grid, [path]: products } };
}

/** The values that a setting takes: one, or those of the grid. */
export function valuesAt(draft: Draft, path: string): unknown[] {
  return draft.grid[path] ?? [getAt(draft.run, path)];
}

/** Change one of the values of a setting. */
export function changeValue(draft: Draft, path: string, index: number, value: unknown): Draft {
  const values = draft.grid[path];
  const next = values
    ? { ...draft, grid: { ...draft.grid, [path]: values.map((one, i) => (i === index ? value : one)) } }
    : { ...draft, run: setAt(draft.run, path, value) as Data };
  return path === NUM_WORKERS && typeof value === "number" ? fitWorkers(next, value) : next;
}

/** Let a setting take a further value; what varied inside it (policy.threshold in policy) becomes values of it. */
export function addValue(draft: Draft, path: string, value: unknown): Draft {
  const values = draft.grid[path];
  if (values) return { ...draft, grid: { ...draft.grid, [path]: [...values, value] } };
  const single = absorb(draft, path, [getAt(draft.run, path)]);
  return { ...single, grid: { ...single.grid, [path]: [...(single.grid[path] ?? []), value] } };
}

/** Take a value away; the last one left is the run's own again. */
export function removeValue(draft: Draft, path: string, index: number): Draft {
  const values = (draft.grid[path] ?? []).filter((_, i) => i !== index);
  if (values.length > 1) return { ...draft, grid: { ...draft.grid, [path]: values } };
  const { [path]: _gone, ...grid } = draft.grid;
  return values.length === 1 ? { ...draft, grid, run: setAt(draft.run, path, values[0]) as Data } : { ...draft, grid };
}

/** Lists with one entry for each worker follow their number; a single entry stands for all and stays. */
function fitWorkers(draft: Draft, numWorkers: number): Draft {
  if (!Number.isInteger(numWorkers) || numWorkers < 1 || numWorkers > 1024) return draft;
  return PER_WORKER.reduce((next, path) => {
    const values = getAt(next.run, path);
    if (!Array.isArray(values) || values.length <= 1) return next;
    return { ...next, run: setAt(next.run, path, fitList(values, numWorkers)) as Data };
  }, draft);
}

/** Cut a list, or repeat its first entry, until it has the length. */
export function fitList(values: readonly unknown[], length: number): unknown[] {
  return Array.from({ length }, (_, i) => (i < values.length ? values[i] : values[0]));
}

export function isPerWorker(path: string): boolean {
  return PER_WORKER.includes(path);
}

/** How many runs the draft stands for; 0 while its seeds cannot be read. */
export function numRuns(draft: Draft): number {
  return Object.values(draft.grid).reduce((num, values) => num * values.length, parseSeeds(draft.seeds).length);
}

const MAX_SEEDS = 1000;

/** Read "1, 2, 5-8"; what is no seed stays text, and the server complains about it. */
export function parseSeeds(text: string): (number | string)[] {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  return parts.flatMap((part): (number | string)[] => {
    if (/^\d+$/.test(part)) return [Number(part)];
    const range = /^(\d+)-(\d+)$/.exec(part);
    if (!range) return [part];
    const [from, to] = [Number(range[1]), Number(range[2])];
    if (to < from || to - from >= MAX_SEEDS) return [part];
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

/** Write seeds shortly: 1, 2, 5-8. */
export function formatSeeds(seeds: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < seeds.length;) {
    let end = i;
    while (end + 1 < seeds.length && seeds[end + 1] === (seeds[end] ?? 0) + 1) end += 1;
    parts.push(end - i >= 2 ? `${seeds[i] ?? ""}-${seeds[end] ?? ""}` : seeds.slice(i, end + 1).join(", "));
    i = end + 1;
  }
  return parts.join(", ");
}
