/** The history's state as it stands in the URL: every view can be linked and comes back exactly. */

import { quote, withTerm } from "./filterText";
import type { RowQuery } from "./historyApi";

export const PAGE_SIZES = [100, 500] as const;
export const DEFAULT_SORT = "-created_at";
export const BIN = "is:deleted";
export const ALL = "all"; // as a selection: whatever the filter lets through

export interface HistoryView {
  filter: string; // in the language of the server
  sort: string;
  columns: string[]; // empty: those that are shown by default
  cursor: string | null;
  page: number; // 1 = the first; for the words under the table
  size: number; // rows of a page
  selected: string[]; // ids, or ALL alone
}

const list = (text: string | null) => (text ?? "").split(",").filter(Boolean);

export function readView(query: URLSearchParams): HistoryView {
  const page = Number(query.get("page") ?? "1");
  const size = Number(query.get("size"));
  return {
    filter: readFilter(query),
    sort: query.get("sort") ?? DEFAULT_SORT,
    columns: list(query.get("columns")),
    cursor: query.get("cursor"),
    page: Number.isInteger(page) && page > 0 ? page : 1,
    size: PAGE_SIZES.find((one) => one === size) ?? PAGE_SIZES[0],
    selected: list(query.get("selected")),
  };
}

/** Addresses of before there was one filter name their parts apart. */
function readFilter(query: URLSearchParams): string {
  let filter = query.get("filter") ?? "";
  const parts: [string, string[]][] = [
    ["state", list(query.get("state"))],
    ["policy", query.getAll("policy")],
    ["dataset", query.getAll("dataset")],
    ...query.getAll("tag").map((tag): [string, string[]] => ["tag", [tag]]),
  ];
  for (const [key, values] of parts) {
    const some = values.filter(Boolean).map((one) => quote(one));
    if (some.length > 0) filter = withTerm(filter, `${key}:${some.join(",")}`);
  }
  const text = query.get("q") ?? "";
  return text === "" ? filter : withTerm(filter, quote(text));
}

/** Write a view as a query; what is as it is by default is left out. */
export function writeView(view: HistoryView): string {
  const query = new URLSearchParams();
  const put = (key: string, value: string, usual = "") => {
    if (value !== usual) query.set(key, value);
  };
  put("filter", view.filter.trim());
  put("sort", view.sort, DEFAULT_SORT);
  put("columns", view.columns.join(","));
  put("cursor", view.cursor ?? "");
  put("page", String(view.page), "1");
  put("size", String(view.size), String(PAGE_SIZES[0]));
  put("selected", view.selected.join(","));
  const text = query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return text ? `?${text}` : "";
}

/** Change filter or order: a place in the old list means nothing in the new one. */
export function refine(view: HistoryView, changes: Partial<HistoryView>): HistoryView {
  const isOther = changes.filter !== undefined && changes.filter !== view.filter;
  const selected = isOther && isAll(view.selected) ? [] : view.selected; // other runs than were meant
  return { ...view, selected, ...changes, cursor: null, page: 1 };
}

export const isFiltered = ({ filter }: Pick<HistoryView, "filter">): boolean => filter.trim() !== "";

export const isBin = ({ filter }: Pick<HistoryView, "filter">): boolean => /(^|\s)is:deleted\b/.test(filter);

export const isAll = (selected: readonly string[]): boolean => selected.length === 1 && selected[0] === ALL;

export function rowQueryOf({ filter, sort, size, cursor }: HistoryView): RowQuery {
  return { filter: filter.trim(), sort, limit: size, cursor };
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
