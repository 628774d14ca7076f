/** The history's state as it stands in the URL: every view can be linked and comes back exactly. */

import type { RunFilter } from "../api/client";

export const PAGE_SIZE = 100;
export const DEFAULT_SORT = "-created_at";

export interface HistoryView {
  q: string;
  states: string[];
  policy: string;
  dataset: string;
  tag: string;
  sort: string;
  cursor: string | null;
  page: number; // 1 = the first; for the words under the table
  selected: string[];
}

const list = (text: string | null) => (text ?? "").split(",").filter(Boolean);

export function readView(query: URLSearchParams): HistoryView {
  const page = Number(query.get("page") ?? "1");
  return {
    q: query.get("q") ?? "",
    states: list(query.get("state")),
    policy: query.get("policy") ?? "",
    dataset: query.get("dataset") ?? "",
    tag: query.get("tag") ?? "",
    sort: query.get("sort") ?? DEFAULT_SORT,
    cursor: query.get("cursor"),
    page: Number.isInteger(page) && page > 0 ? page : 1,
    selected: list(query.get("selected")),
  };
}

/** Write a view as a query; what is as it is by default is left out. */
export function writeView(view: HistoryView): string {
  const query = new URLSearchParams();
  const put = (key: string, value: string, usual = "") => {
    if (value !== usual) query.set(key, value);
  };
  put("q", view.q);
  put("state", view.states.join(","));
  put("policy", view.policy);
  put("dataset", view.dataset);
  put("tag", view.tag);
  put("sort", view.sort, DEFAULT_SORT);
  put("cursor", view.cursor ?? "");
  put("page", String(view.page), "1");
  put("selected", view.selected.join(","));
  const text = query.toString().replaceAll("%2C", ",");
  return text ? `?${text}` : "";
}

/** Change filters or order: a place in the old list means nothing in the new one. */
export function refine(view: HistoryView, changes: Partial<HistoryView>): HistoryView {
  return { ...view, ...changes, cursor: null, page: 1 };
}

export function isFiltered({ q, states, policy, dataset, tag }: HistoryView): boolean {
  return q !== "" || states.length > 0 || policy !== "" || dataset !== "" || tag !== "";
}

export function filterOf(view: HistoryView): RunFilter {
  const { q, states, policy, dataset, tag, sort, cursor } = view;
  return { q, state: states, policy, dataset, tag, sort, cursor, limit: PAGE_SIZE };
}

/** Sort by a column; by the same one again the other way round. Figures start with the best, texts with A. */
export function nextSort(current: string, key: string, isDownFirst: boolean): string {
  if (current === key) return `-${key}`;
  if (current === `-${key}`) return key;
  return isDownFirst ? `-${key}` : key;
}

/** Take one in or out, keeping the order in which they were chosen. */
export function toggle(selected: readonly string[], id: string): string[] {
  return selected.includes(id) ? selected.filter((one) => one !== id) : [...selected, id];
}
