/** How the parts of a worker's time are ordered, summed and drawn. Pure. */

import type { Account, AccountWorker } from "../api/types";

export type Parts = AccountWorker["parts"];
export type PartKey = keyof Parts | "unaccounted";

/** One part of one bar. */
export interface Piece {
  key: PartKey;
  label: string;
  seconds: number;
}

/** Give the parts of a worker (or of all) that took any time, in the order in which they are drawn. */
export function piecesOf(account: Account, parts: Parts, unaccountedS: number): Piece[] {
  return account.part_words
    .map(({ key, label }) => ({ key: key as PartKey, label, seconds: secondsOf(key as PartKey, parts, unaccountedS) }))
    .filter(({ seconds }) => seconds > 0);
}

export function secondsOf(key: PartKey, parts: Parts, unaccountedS: number): number {
  return key === "unaccounted" ? unaccountedS : parts[key];
}

/** Give the parts that any worker has, with what they mean: the legend. */
export function usedParts(account: Account): Account["part_words"] {
  const { parts, unaccounted_s } = account.total;
  return account.part_words.filter(({ key }) => secondsOf(key as PartKey, parts, unaccounted_s) > 0);
}

/** A column of the matrix: a worker that was waited for, or (null) whom the gate has not named. */
export interface Culprit {
  worker: number | null;
  seconds: number; // of all who waited
}

/** Give whom the others waited for, the dearest first, at most so many; and how many more there were. */
export function culprits(account: Account, most: number): { shown: Culprit[]; rest: number[] } {
  const { workers, seconds, nobody_s } = account.waits_for;
  const named = workers
    .map((worker, column) => ({ worker, seconds: seconds.reduce((sum, row) => sum + (row[column] ?? 0), 0) }))
    .filter((one) => one.seconds > 0)
    .sort((a, b) => b.seconds - a.seconds || a.worker - b.worker);
  const nobodyS = nobody_s.reduce((sum, one) => sum + one, 0);
  const shown: Culprit[] = named.slice(0, most);
  if (nobodyS > 0) shown.push({ worker: null, seconds: nobodyS });
  return { shown, rest: named.slice(most).map(({ worker }) => worker) };
}

/** Give what a worker waited for another one (null: for nobody who was named). */
export function waitedS(account: Account, waiter: number, culprit: number | null): number {
  const { workers, seconds, nobody_s } = account.waits_for;
  const row = workers.indexOf(waiter);
  if (culprit === null) return nobody_s[row] ?? 0;
  return seconds[row]?.[workers.indexOf(culprit)] ?? 0;
}

/** A stretch of neighbouring slices in which the same worker was waited for most. */
export interface Stretch {
  worker: number | null;
  first: number;
  num: number;
}

export function stretches(workers: readonly (number | null)[]): Stretch[] {
  const found: Stretch[] = [];
  workers.forEach((worker, place) => {
    const last = found[found.length - 1];
    if (last?.worker === worker) last.num += 1;
    else found.push({ worker, first: place, num: 1 });
  });
  return found;
}
