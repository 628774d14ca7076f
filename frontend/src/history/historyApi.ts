/** The history's part of the REST API. */

import { query, request } from "../api/client";
import type {
  Baseline,
  Facets,
  FilterHelp,
  NewView,
  RowPage,
  RunsChange,
  RunsChanged,
  SavedView,
  SavedViews,
} from "./types";

const id = encodeURIComponent;

export interface RowQuery {
  filter: string;
  sort: string;
  limit: number;
  cursor: string | null;
}

export const historyApi = {
  rows: (wanted: RowQuery, signal?: AbortSignal) => request<RowPage>(`/runs/rows${query({ ...wanted })}`, { signal }),
  facets: (filter: string, signal?: AbortSignal) => request<Facets>(`/runs/facets${query({ filter })}`, { signal }),
  filterHelp: (signal?: AbortSignal) => request<FilterHelp>("/runs/filter-help", { signal }),
  change: (change: Partial<RunsChange>) => request<RunsChanged>("/runs/change", { method: "POST", body: change }),

  views: (signal?: AbortSignal) => request<SavedViews>("/views", { signal }),
  saveView: (view: NewView) => request<SavedView>("/views", { method: "POST", body: view }),
  changeView: (viewId: string, patch: Partial<NewView>) =>
    request<SavedView>(`/views/${id(viewId)}`, { method: "PATCH", body: patch }),
  deleteView: (viewId: string) => request<undefined>(`/views/${id(viewId)}`, { method: "DELETE" }),

  baseline: (signal?: AbortSignal) => request<Baseline>("/baseline", { signal }),
  pinBaseline: (runId: string) => request<Baseline>("/baseline", { method: "PUT", body: { run_id: runId } }),
  unpinBaseline: () => request<undefined>("/baseline", { method: "DELETE" }),
};
