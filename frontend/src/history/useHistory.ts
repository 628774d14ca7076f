import { useMemo, useState } from "react";
import { api } from "../api/client";
import { useKept, useResource } from "../api/resource";
import { isActive } from "../api/states";
import { useBaseline } from "./baseline";
import { usualColumns } from "./columns";
import type { Fault } from "./FilterBox";
import { historyApi } from "./historyApi";
import { rowOf } from "./rows";
import type { RowPage, RunRow } from "./types";
import { rowQueryOf, type HistoryView } from "./view";

const FACETS_MS = 20_000; // counts of a long history cost the server some time
const FAULT = /^filter\[(\d+):(\d+)\]$/;

const refreshOf = (page: RowPage | undefined) => (page?.rows.some(({ state }) => isActive(state)) ? 1500 : 6000);

/** Everything that the history reads from the server for a view. */
export function useHistory(view: HistoryView) {
  const wanted = rowQueryOf(view);
  const key = `runs/rows${JSON.stringify(wanted)}`;
  const resource = useResource(key, (signal) => historyApi.rows(wanted, signal), refreshOf);
  const { data: page, isOld } = useKept(resource.data);
  const fault = readFault(resource.error);
  // The list comes first: counts cost the server some time, in which it would not answer for the list.
  const counted = useResource(
    fault || resource.isLoading ? null : `facets${wanted.filter}`,
    (signal) => historyApi.facets(wanted.filter, signal),
    FACETS_MS,
  );
  const { data: facets, isOld: areFacetsOld } = useKept(counted.data);
  const pinned = useBaseline();
  const baseline = useMemo(() => pinned.run && rowOf(pinned.run), [pinned.run]);
  const columns = view.columns.length > 0 ? view.columns : usualColumns(baseline !== null);
  const seen = useSeen(page?.rows ?? []);
  return {
    resource,
    page,
    isOld: isOld && fault === null,
    fault,
    facets,
    areFacetsOld,
    numMatching: counted.data?.total ?? (resource.data?.is_total_exact ? resource.data.total : null),
    baseline,
    columns,
    seen,
  };
}

/** Where a filter is wrong, and the sentence about it. */
function readFault(error: { message: string; problems: { field: string }[] } | undefined): Fault | null {
  const [, start, end] = FAULT.exec(error?.problems[0]?.field ?? "") ?? [];
  return error && start !== undefined && end !== undefined
    ? { start: Number(start), end: Number(end), message: error.message }
    : null;
}

/** Runs that this page has shown, so that a selection may reach over several pages of the list. */
function useSeen(rows: readonly RunRow[]): ReadonlyMap<string, RunRow> {
  const [seen, setSeen] = useState<{ rows: readonly RunRow[]; byId: ReadonlyMap<string, RunRow> }>({
    rows: [],
    byId: new Map(),
  });
  if (seen.rows === rows || (rows.length === 0 && seen.rows.length === 0)) return seen.byId;
  const byId = new Map([...seen.byId, ...rows.map((row) => [row.id, row] as const)]);
  setSeen({ rows, byId });
  return byId;
}

/** The complete run, once it is wanted. */
export function useRun(runId: string | null) {
  return useResource(runId === null ? null : `run/${runId}`, (signal) => api.run(runId ?? "", signal)).data;
}
