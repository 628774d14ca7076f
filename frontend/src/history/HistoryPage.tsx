import { useCallback, useMemo, useState } from "react";
import { useKeys } from "../app/keys";
import { Link } from "../app/Link";
import { navigate, useLocation } from "../app/router";
import { useTitle } from "../app/title";
import { CloneDialog } from "../clone/CloneDialog";
import { Button } from "../ui/Button";
import { useMedia } from "../ui/media";
import { LoadFault } from "../ui/LoadFault";
import { SkeletonRows } from "../ui/Skeleton";
import { changeRuns, type Target } from "./actions";
import { ColumnMenu } from "./ColumnMenu";
import { ALL_COLUMNS } from "./columns";
import { EmptyHistory } from "./EmptyHistory";
import { FacetPanel } from "./FacetPanel";
import { FilterBox } from "./FilterBox";
import { toggleValue } from "./filterText";
import { compareUrl, MOST_COMPARED } from "./links";
import { Pages, stateWith } from "./Pages";
import { Popover } from "./Popover";
import { PurgeDialog } from "./PurgeDialog";
import { moveRow, withFocusedRun } from "./rowKeys";
import { RowTable } from "./RunTable";
import { RunSheet } from "./RunSheet";
import { SelectionBar } from "./SelectionBar";
import { TagCell } from "./TagCell";
import { TagDialog } from "./TagDialog";
import type { RunRow } from "./types";
import { useHistory, useRun } from "./useHistory";
import { ViewsMenu } from "./ViewsMenu";
import { ALL, BIN, isAll, isBin, isFiltered, readView, refine, toggle, writeView, type HistoryView } from "./view";
import table from "../ui/Table.module.css";
import css from "./HistoryPage.module.css";

type Asking = { what: "tags" | "purge" | "clone" | "sheet"; target: Target } | null;
type Show = (next: HistoryView, isStep?: boolean) => void;

const WIDE = "(min-width: 1100px)"; // the filters stand beside the list; else a button opens them, and the runs come first
const TAG = { key: "tag", aliases: ["tags"] };
const COUNTS = "Counts of the runs that match";

/** "Which setting wins, by how much, and how sure are we?": all runs; select two or more to compare them. */
export function HistoryPage() {
  useTitle("History");
  const { query } = useLocation();
  const view = useMemo(() => readView(query), [query]);
  const history = useHistory(view);
  const isWide = useMedia(WIDE);
  const { resource, page, fault, numMatching, seen } = history;
  const [asking, setAsking] = useState<Asking>(null);

  const show: Show = useCallback((next, isStep = false) => {
    // Typing and selecting leave no step behind for "back"; another page or another order does.
    navigate(`/runs${writeView(next)}`, {
      replace: !isStep,
      state: isStep ? stateWith(next) : (window.history.state as unknown),
    });
  }, []);
  const select = (ids: string[]) => show({ ...view, selected: ids });
  const hasAll = isAll(view.selected);
  const target = targetOf(view, numMatching);
  useHistoryKeys(view, show, setAsking);

  const isEmpty = page?.total === 0 && !isFiltered(view) && fault === null;
  // Whether there is anything to filter: until that is known its place stays free, and nothing moves.
  const hasTop = !isEmpty && (page !== undefined || isFiltered(view) || !resource.isLoading);
  const isWholePage =
    page !== undefined && page.rows.length > 0 && page.rows.every(({ id }) => view.selected.includes(id));
  const facets = history.facets && (
    <FacetPanel
      facets={history.facets.facets}
      filter={view.filter}
      isOld={history.areFacetsOld}
      onToggle={(facet, value) =>
        show(refine(view, { filter: toggleValue(view.filter, facet, value, facet.key === "tag") }), true)
      }
    />
  );
  return (
    <>
      <h1 className={css.title}>{isBin(view) ? "History: the bin" : "History"}</h1>
      {hasTop && (
        <div className={css.top}>
          <FilterBox filter={view.filter} fault={fault} onChange={(filter) => show(refine(view, { filter }))} />
          <div className={css.menus}>
            {!isWide && (
              <Popover label="Filters" title={COUNTS}>
                {() => facets}
              </Popover>
            )}
            <ColumnMenu
              shown={history.columns}
              hasBaseline={history.baseline !== null}
              onChange={(columns) => show({ ...view, columns })}
            />
            <ViewsMenu view={view} />
          </div>
        </div>
      )}
      <div key={isEmpty ? "empty" : hasTop ? "list" : "waiting"} className={css.parts} data-empty={isEmpty || undefined}>
        {isWide && page && !isEmpty && (
          <aside className={css.facets} aria-label={COUNTS}>
            <details open>
              <summary>Filters</summary>
              {facets}
            </details>
          </aside>
        )}
        <div className={css.main}>
          {isBin(view) && (
            <p className={`quiet ${css.hint ?? ""}`}>
              Deleted runs stay here for some days and are then deleted for good.{" "}
              <Link to="/runs">Back to all runs</Link>
            </p>
          )}
          {hasTop && (
            <SelectionBar
              view={view}
              target={target}
              numMatching={numMatching}
              isWholePage={isWholePage}
              onSelectAll={() => select([ALL])}
              onClear={() => select([])}
              onAsk={(what) => target && setAsking({ what, target })}
            />
          )}
          {resource.error && !fault && !(resource.error.isConnection && page) && (
            <LoadFault title="The runs could not be loaded." error={resource.error} resource="runs/" />
          )}
          {!page && resource.isLoading && <SkeletonRows num={14} label="Loading the runs" />}
          {isEmpty && <EmptyHistory />}
          {page && !isEmpty && <List view={view} history={history} show={show} onSelect={select} onAsk={setAsking} />}
        </div>
      </div>
      {asking && (
        <Dialogs
          asking={asking}
          seen={seen}
          known={history.facets?.facets.find(({ key }) => key === "tag")?.values.map(({ value }) => value) ?? []}
          onClose={() => setAsking(null)}
          onPurged={() => select([])}
        />
      )}
      {hasAll && numMatching !== null && (
        <p className="unseen" role="status">
          All {numMatching} runs that match are selected.
        </p>
      )}
    </>
  );
}

/** The runs that the selection stands for. */
function targetOf({ selected, filter }: HistoryView, numMatching: number | null): Target | null {
  if (!isAll(selected)) return selected.length > 0 ? { ids: selected } : null;
  return numMatching === null || numMatching === 0 ? null : { filter: filter.trim(), num: numMatching };
}

function useHistoryKeys(view: HistoryView, show: Show, onAsk: (asking: Asking) => void): void {
  const select = (ids: string[]) => show({ ...view, selected: ids });
  const some = isAll(view.selected) ? [] : view.selected;
  const change = (target: Target, what: "archive" | "delete") => {
    void changeRuns(target, what).then((ids) => ids.length > 0 && some.length > 0 && select([])); // they stand elsewhere now
  };
  const ofRow = (act: (target: Target) => void) => () =>
    some.length > 0 ? act({ ids: some }) : withFocusedRun((id) => act({ ids: [id] }));
  useKeys("History", {
    "/": { label: "Filter", run: () => document.getElementById("history-search")?.focus() },
    j: { label: "Next run", run: () => moveRow(1) },
    k: { label: "Previous run", run: () => moveRow(-1) },
    x: { label: "Select the run", run: () => withFocusedRun((id) => select(toggle(some, id))) },
    c: { label: "Compare the selected runs", run: () => some.length > 1 && some.length <= MOST_COMPARED && navigate(compareUrl(some)) },
    e: {
      label: "Name, tags and notes of the run",
      run: () => withFocusedRun((id) => onAsk({ what: "sheet", target: { ids: [id] } })),
    },
    t: { label: "Tag the selection, or the run", run: ofRow((target) => onAsk({ what: "tags", target })) },
    a: {
      label: "Archive the selection, or the run",
      run: ofRow((target) => change(target, "archive")),
    },
    Delete: {
      label: "Delete the selection, or the run",
      run: ofRow((target) => (isBin(view) ? onAsk({ what: "purge", target }) : change(target, "delete"))),
    },
    "g b": { label: "Go to the bin", run: () => navigate(`/runs?filter=${BIN}`) },
    ...(view.selected.length > 0 && { Escape: { label: "Select nothing", run: () => select([]) } }),
  });
}

interface ListProps {
  view: HistoryView;
  history: ReturnType<typeof useHistory>;
  show: Show;
  onSelect: (ids: string[]) => void;
  onAsk: (asking: Asking) => void;
}

function List({ view, history, show, onSelect, onAsk }: ListProps) {
  const { page, isOld, columns, baseline, numMatching } = history;
  if (!page) return null;
  const hasTags = columns.includes("tags");
  return (
    <div aria-busy={isOld} data-old={isOld || undefined} className={css.list}>
      {page.rows.length > 0 ? (
        <RowTable
          caption="Runs"
          rows={page.rows}
          columns={ALL_COLUMNS.filter(({ key }) => columns.includes(key))}
          selected={view.selected}
          isAllSelected={isAll(view.selected)}
          onSelect={onSelect}
          sort={view.sort}
          onSort={(sort) => show(refine(view, { sort }), true)}
          baseline={baseline}
          hasExperiment={!columns.includes("experiment")}
          rowMenu={(row) => (
            <button
              type="button"
              className={css.edit}
              aria-label={`Name, tags and notes of ${row.name}, seed ${row.seed}`}
              title={row.note === "" ? "Name, tags and notes (e)" : row.note}
              data-noted={row.note !== "" || undefined}
              onClick={() => onAsk({ what: "sheet", target: { ids: [row.id] } })}
            >
              <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
                <path
                  d={row.note === "" ? "M2.5 11.5l.6-2.6 6.2-6.2 2 2-6.2 6.2z" : "M3 1.5h8v11H3zM5 4.5h4M5 7h4M5 9.5h2.5"}
                  fill="none"
                  stroke="currentColor"
                />
              </svg>
            </button>
          )}
          tagCell={
            hasTags
              ? (row) => (
                  <TagCell
                    row={row}
                    onFilter={(tag) => show(refine(view, { filter: toggleValue(view.filter, TAG, tag, true) }), true)}
                    onEdit={() => onAsk({ what: "tags", target: { ids: [row.id] } })}
                  />
                )
              : undefined
          }
        />
      ) : (
        <div className={`${table.scroll ?? ""} ${table.empty ?? ""}`}>
          <p>{view.filter.trim() === BIN ? "The bin is empty." : "No run matches."}</p>
          <p>
            <Button onClick={() => show(refine(view, { filter: "" }), true)}>Show all runs</Button>
          </p>
        </div>
      )}
      <Pages view={view} page={page} numMatching={numMatching} onGo={(next) => show(next, true)} />
    </div>
  );
}

interface DialogsProps {
  asking: NonNullable<Asking>;
  seen: ReadonlyMap<string, RunRow>;
  known: readonly string[];
  onClose: () => void;
  onPurged: () => void;
}

function Dialogs({ asking: { what, target }, seen, known, onClose, onPurged }: DialogsProps) {
  const ids = "ids" in target ? target.ids : [];
  const first = ids[0] ?? null;
  const cloned = useRun(what === "clone" ? first : null);
  if (what === "sheet") return first === null ? null : <RunSheet runId={first} onClose={onClose} />;
  if (what === "clone") return cloned ? <CloneDialog run={cloned} onClose={onClose} /> : null;
  if (what === "purge") return <PurgeDialog target={target} onClose={onClose} onDone={onPurged} />;
  const rows = "ids" in target ? ids.flatMap((id) => seen.get(id) ?? []) : [...seen.values()];
  return <TagDialog target={target} rows={rows} known={known} onClose={onClose} />;
}
