import { useState } from "react";
import { ApiError } from "../api/client";
import { timelineApi } from "../api/timeline";
import { emptyModel, type RunModel } from "../store/model";
import { reduce } from "../store/reduce";
import type { RunStore } from "../store/runStore";

const STEP = 20_000; // events that are looked through at once
const AFTER = 2_000; // events after them, which may tell what came of a prediction
const KINDS = ["SyncPlanned", "AggregateApplied"];
const MOST = 10_000; // that one request gives

/** The synchronisations of a long run that the page has not folded: fetched backwards, part by part. */
export interface Older {
  models: readonly RunModel[]; // the newest first
  hasMore: boolean;
  isLoading: boolean;
  error: string;
  load: () => Promise<void>;
}

export function useOlder(store: RunStore): Older {
  const [models, setModels] = useState<readonly RunModel[]>([]);
  const [reached, setReached] = useState<number | null>(null); // the first seq that was looked at
  const [openedSeq, setOpenedSeq] = useState(store.openedSeq);
  const [isLoading, setLoading] = useState(false);
  const [error, setError] = useState("");
  if (openedSeq !== store.openedSeq) {
    setOpenedSeq(store.openedSeq); // the page has let go of more: what was fetched does not join on any longer
    setModels([]);
    setReached(null);
  }
  const end = reached ?? store.openedSeq + 1;
  const load = async () => {
    setLoading(true);
    setError("");
    try {
      const first = Math.max(1, end - STEP);
      const model = await fold(store.runId, first, end);
      if (store.openedSeq === openedSeq) {
        setModels([...models, model]);
        setReached(first);
      }
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setError(problem.message);
    }
    setLoading(false);
  };
  return { models, hasMore: store.past !== null && end > 1, isLoading, error, load };
}

/** Fold the synchronisations with a seq in [first, end). */
async function fold(runId: string, first: number, end: number): Promise<RunModel> {
  const model = emptyModel();
  let after = first - 1;
  while (after < end + AFTER) {
    const page = await timelineApi.eventsAfter(runId, after, MOST, KINDS);
    reduce(
      model,
      page.events.filter(({ seq, kind }) => seq < end || (kind === "AggregateApplied" && seq < end + AFTER)),
    );
    if (page.last_seq <= after || page.is_finished) break;
    after = page.last_seq;
  }
  const { aggregates } = model;
  while (aggregates.length > 0 && aggregates.get(aggregates.length - 1, "seq") >= end) aggregates.length -= 1;
  return model;
}
