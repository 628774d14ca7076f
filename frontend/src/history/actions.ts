/** Changes of many runs, each with its undo. */

import { ApiError } from "../api/client";
import { invalidate } from "../api/resource";
import { plural } from "../format";
import { toast } from "../ui/Toasts";
import { historyApi } from "./historyApi";
import type { RunsChange } from "./types";

/** The runs that are meant: some, or all that a filter lets through. */
export type Target = { ids: readonly string[] } | { filter: string; num: number };

type Change = "tag" | "untag" | "archive" | "unarchive" | "delete" | "restore";

const OPPOSITE: Record<Change, Change> = {
  tag: "untag",
  untag: "tag",
  archive: "unarchive",
  unarchive: "archive",
  delete: "restore",
  restore: "delete",
};

const WORDS: Record<Change, (runs: string, tag: string, isOne: boolean) => string> = {
  tag: (runs, tag) => `Tagged ${runs} ${tag}.`,
  untag: (runs, tag) => `Took the tag ${tag} from ${runs}.`,
  archive: (runs) => `Archived ${runs}.`,
  unarchive: (runs) => `Took ${runs} out of the archive.`,
  delete: (runs, _, isOne) => `Put ${runs} into the bin; ${isOne ? "it" : "they"} can be restored for some days.`,
  restore: (runs) => `Restored ${runs}.`,
};

export const numOf = (target: Target): number => ("ids" in target ? target.ids.length : target.num);

function bodyOf(target: Target): Partial<RunsChange> {
  return "ids" in target ? { run_ids: [...target.ids] } : { filter: target.filter, num_expected: target.num };
}

/** Everything that shows runs asks again. */
export function refreshRuns(): void {
  for (const prefix of ["runs", "run/", "experiment", "facets", "queue", "baseline", "filter-help"]) invalidate(prefix);
}

/** Change runs; a notice says what was done and offers to undo it. Gives the ids of what was changed. */
export async function changeRuns(target: Target, change: Change, tag = ""): Promise<string[]> {
  try {
    const done = await historyApi.change({ ...bodyOf(target), change, tag });
    refreshRuns();
    const { run_ids: ids, num_training: numTraining } = done;
    const left = numTraining > 0 ? ` ${plural(numTraining, "run")} that train were left.` : "";
    if (ids.length === 0) toast({ text: `Nothing was changed.${left}` });
    else {
      const text = WORDS[change](plural(ids.length, "run"), tag, ids.length === 1) + left;
      toast({ text, action: { label: "Undo", run: () => undo(ids, change, tag) } });
    }
    return ids;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast({ text: error.message });
    return [];
  }
}

async function undo(ids: readonly string[], change: Change, tag: string): Promise<void> {
  try {
    await historyApi.change({ run_ids: [...ids], change: OPPOSITE[change], tag });
    refreshRuns();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast({ text: error.message });
  }
}

/** Delete for good what is in the bin, some hundreds at a time. */
export async function purgeRuns(target: Target, onProgress: (num: number) => void): Promise<number> {
  let num = 0;
  let rest = bodyOf(target);
  for (;;) {
    const done = await historyApi.change({ ...rest, change: "purge" });
    num += done.run_ids.length;
    onProgress(num);
    if (done.num_left === 0) break;
    if (rest.run_ids) rest = { run_ids: rest.run_ids.slice(-done.num_left) };
    else rest = { filter: rest.filter ?? "" };
  }
  refreshRuns();
  return num;
}
