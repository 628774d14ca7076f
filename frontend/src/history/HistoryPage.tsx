import { useCallback, useMemo, useState } from "react";
import { api } from "../api/client";
import { useKept, useResource } from "../api/resource";
import type { Run, RunPage } from "../api/types";
import { useKeys } from "../app/keys";
import { navigate, useLocation } from "../app/router";
import { useTitle } from "../app/title";
import { CloneDialog } from "../clone/CloneDialog";
import { Button, ButtonLink } from "../ui/Button";
import { Notice } from "../ui/Notice";
import { SkeletonRows } from "../ui/Skeleton";
import { isActive } from "../ui/StateMark";
import { formatCount, plural } from "../format";
import { DeleteDialog } from "./DeleteDialog";
import { EmptyHistory } from "./EmptyHistory";
import { Filters } from "./Filters";
import { compareUrl } from "./links";
import { moveRow, withFocusedRun } from "./rowKeys";
import { RunTable } from "./RunTable";
import { TagDialog } from "./TagDialog";
import { filterOf, isFiltered, PAGE_SIZE, readView, refine, toggle, writeView, type HistoryView } from "./view";
import table from "../ui/Table.module.css";
import css from "./HistoryPage.module.css";

const refreshOf = (page: RunPage | undefined) => (page?.runs.some(({ state }) => isActive(state)) ? 1500 : 6000);

type Asking = { what: "tags" | "delete" | "clone"; runs: Run[] } | null;

/** "Which setting wins, by how much, and how sure are we?": all runs; select two or more to compare them. */
export function HistoryPage() {
  useTitle("History");
  const { query } = useLocation();
  const view = useMemo(() => readView(query), [query]);
  const filter = filterOf(view);
  const resource = useResource(`runs${JSON.stringify(filter)}`, (signal) => api.runs(filter, signal), refreshOf);
  const { data: page, isOld } = useKept(resource.data);
  const [asking, setAsking] = useState<Asking>(null);
  const seen = useSeen(page?.runs ?? []);

  const show = useCallback((next: HistoryView, isStep = false) => {
    // Typing and selecting leave no step behind for "back"; another page or another order does.
    navigate(`/runs${writeView(next)}`, {
      replace: !isStep,
      state: isStep ? stateWith(next) : (window.history.state as unknown),
    });
  }, []);
  const select = (ids: string[]) => show({ ...view, selected: ids });
  const chosen = view.selected.flatMap((id) => seen.get(id) ?? []);
  const tags = [...new Set((page?.runs ?? []).flatMap((run) => run.tags))].toSorted();

  useKeys("History", {
    "/": { label: "Search", run: () => document.getElementById("history-search")?.focus() },
    j: { label: "Next run", run: () => moveRow(1) },
    k: { label: "Previous run", run: () => moveRow(-1) },
    x: { label: "Select the run", run: () => withFocusedRun((id) => select(toggle(view.selected, id))) },
    c: {
      label: "Compare the selected runs",
      run: () => view.selected.length > 1 && navigate(compareUrl(view.selected)),
    },
    ...(view.selected.length > 0 && { Escape: { label: "Select nothing", run: () => select([]) } }),
  });

  const isEmpty = page?.total === 0 && !isFiltered(view);
  return (
    <>
      <h1 className={css.title}>History</h1>
      {!isEmpty && <Filters view={view} tags={tags} onChange={(changes) => show(refine(view, changes))} />}
      {!isEmpty && (
        <SelectionBar
          view={view}
          chosen={chosen}
          onClear={() => select([])}
          onAsk={(what) => setAsking({ what, runs: chosen })}
        />
      )}
      {resource.error && !(resource.error.isConnection && page) && (
        <Notice kind="fault" title="The runs could not be loaded.">
          {resource.error.message}
        </Notice>
      )}
      {!page && resource.isLoading && <SkeletonRows num={14} label="Loading the runs" />}
      {isEmpty && <EmptyHistory />}
      {page && !isEmpty && (
        <div aria-busy={isOld} data-old={isOld || undefined} className={css.list}>
          {page.runs.length > 0 ? (
            <RunTable
              caption="Runs"
              runs={page.runs}
              selected={view.selected}
              onSelect={select}
              sort={view.sort}
              onSort={(sort) => show(refine(view, { sort }), true)}
              hasExperiment
              tagCell={(run) => (
                <TagCell
                  run={run}
                  onFilter={(tag) => show(refine(view, { tag }), true)}
                  onEdit={() => setAsking({ what: "tags", runs: [run] })}
                />
              )}
            />
          ) : (
            <div className={`${table.scroll ?? ""} ${table.empty ?? ""}`}>
              <p>No run matches.</p>
              <p>
                <Button onClick={() => show(refine(view, { q: "", states: [], policy: "", dataset: "", tag: "" }))}>
                  Show all runs
                </Button>
              </p>
            </div>
          )}
          <Pages view={view} page={page} onGo={(next) => show(next, true)} />
        </div>
      )}
      {asking?.what === "tags" && <TagDialog runs={asking.runs} known={tags} onClose={() => setAsking(null)} />}
      {asking?.what === "clone" && asking.runs[0] && (
        <CloneDialog run={asking.runs[0]} onClose={() => setAsking(null)} />
      )}
      {asking?.what === "delete" && (
        <DeleteDialog
          runs={asking.runs}
          onClose={() => setAsking(null)}
          onDeleted={(gone) => {
            select(view.selected.filter((id) => !gone.includes(id)));
            setAsking((old) => old && { ...old, runs: old.runs.filter(({ id }) => !gone.includes(id)) });
          }}
        />
      )}
    </>
  );
}

/** Runs that this page has shown, so that a selection may reach over several pages of the list. */
function useSeen(runs: readonly Run[]): ReadonlyMap<string, Run> {
  const [seen, setSeen] = useState<{ runs: readonly Run[]; byId: ReadonlyMap<string, Run> }>({
    runs: [],
    byId: new Map(),
  });
  if (seen.runs === runs || (runs.length === 0 && seen.runs.length === 0)) return seen.byId;
  const byId = new Map([...seen.byId, ...runs.map((run) => [run.id, run] as const)]);
  setSeen({ runs, byId });
  return byId;
}

interface SelectionProps {
  view: HistoryView;
  chosen: readonly Run[];
  onClear: () => void;
  onAsk: (what: "tags" | "delete" | "clone") => void;
}

/** What can be done with the selection. Always there, so that a first selection moves nothing. */
function SelectionBar({ view, chosen, onClear, onAsk }: SelectionProps) {
  const num = view.selected.length;
  return (
    <div className={css.bar} role="toolbar" aria-label="With the selected runs">
      {num > 1 ? (
        <ButtonLink kind="primary" to={compareUrl(view.selected)}>
          Compare {num}
        </ButtonLink>
      ) : (
        <Button disabled title="Select two or more runs">
          Compare
        </Button>
      )}
      <Button kind="quiet" disabled={num !== 1 || chosen.length !== 1} onClick={() => onAsk("clone")}>
        Clone
      </Button>
      <Button kind="quiet" disabled={chosen.length === 0} onClick={() => onAsk("tags")}>
        Tag
      </Button>
      <Button kind="quiet" disabled={chosen.length === 0} onClick={() => onAsk("delete")}>
        Delete
      </Button>
      <span className="quiet" role="status">
        {num > 0 ? `${plural(num, "run")} selected` : "Select two or more runs to compare them."}
      </span>
      {num > 0 && (
        <Button kind="quiet" onClick={onClear}>
          Clear
        </Button>
      )}
    </div>
  );
}

function TagCell({ run, onFilter, onEdit }: { run: Run; onFilter: (tag: string) => void; onEdit: () => void }) {
  return (
    <span className={css.tags}>
      {run.tags.map((tag) => (
        <button
          key={tag}
          type="button"
          className={css.tag}
          title={`Show only runs with the tag ${tag}`}
          onClick={() => onFilter(tag)}
        >
          {tag}
        </button>
      ))}
      <button
        type="button"
        className={css.editTags}
        aria-label={`Edit the tags of ${run.name}, seed ${run.spec.seed}`}
        onClick={onEdit}
      >
        {run.tags.length > 0 ? "edit" : "+ tag"}
      </button>
    </span>
  );
}

interface Cursors {
  cursors?: (string | null)[];
}

/** Remember with a step of the browser's history which cursors led to it, so that "previous" is known after a reload. */
function stateWith({ page, cursor }: HistoryView): Cursors {
  const { cursors = [] } = (window.history.state ?? {}) as Cursors;
  return { cursors: [...cursors.slice(0, page - 1), cursor] };
}

function Pages({ view, page, onGo }: { view: HistoryView; page: RunPage; onGo: (view: HistoryView) => void }) {
  const first = (view.page - 1) * PAGE_SIZE + 1;
  const last = first + page.runs.length - 1;
  const { cursors = [] } = (window.history.state ?? {}) as Cursors;
  const previous = view.page === 2 ? null : cursors[view.page - 2];
  const isPaged = view.page > 1 || page.next_cursor !== null;
  return (
    <nav className={css.pages} aria-label="Pages of the list">
      <span className="quiet">
        {isPaged && page.runs.length > 0
          ? `${formatCount(first)}–${formatCount(last)} of ${plural(page.total, "run")}`
          : plural(page.total, "run")}
      </span>
      {isPaged && (
        <>
          <Button kind="quiet" disabled={view.page === 1} onClick={() => onGo({ ...view, cursor: null, page: 1 })}>
            First
          </Button>
          <Button
            kind="quiet"
            disabled={view.page === 1 || previous === undefined}
            onClick={() => onGo({ ...view, cursor: previous ?? null, page: view.page - 1 })}
          >
            Previous
          </Button>
          <Button
            kind="quiet"
            disabled={page.next_cursor === null}
            onClick={() => onGo({ ...view, cursor: page.next_cursor, page: view.page + 1 })}
          >
            Next
          </Button>
        </>
      )}
    </nav>
  );
}
