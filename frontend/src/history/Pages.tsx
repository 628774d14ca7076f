import { formatCount, plural } from "../format";
import { Button } from "../ui/Button";
import type { RowPage } from "./types";
import { PAGE_SIZES, type HistoryView } from "./view";
import css from "./HistoryPage.module.css";

interface Cursors {
  cursors?: (string | null)[];
}

/** Remember with a step of the browser's history which cursors led to it, so that "previous" is known after a reload. */
export function stateWith({ page, cursor }: HistoryView): Cursors {
  const { cursors = [] } = (window.history.state ?? {}) as Cursors;
  return { cursors: [...cursors.slice(0, page - 1), cursor] };
}

interface Props {
  view: HistoryView;
  page: RowPage;
  numMatching: number | null; // exact; null: not counted yet
  onGo: (view: HistoryView) => void;
}

export function Pages({ view, page, numMatching, onGo }: Props) {
  const first = (view.page - 1) * view.size + 1;
  const last = first + page.rows.length - 1;
  const { cursors = [] } = (window.history.state ?? {}) as Cursors;
  const previous = view.page === 2 ? null : cursors[view.page - 2];
  const isPaged = view.page > 1 || page.next_cursor !== null;
  const total = numMatching ?? page.total;
  const words =
    numMatching === null && !page.is_total_exact ? `more than ${plural(total, "run")}` : plural(total, "run");
  return (
    <nav className={css.pages} aria-label="Pages of the list">
      <span className="quiet">
        {isPaged && page.rows.length > 0 ? `${formatCount(first)}–${formatCount(last)} of ${words}` : words}
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
      {(isPaged || view.size !== PAGE_SIZES[0]) && (
        <label className="quiet">
          <select
            value={view.size}
            aria-label="Rows of a page"
            onChange={({ currentTarget }) => onGo({ ...view, size: Number(currentTarget.value), cursor: null, page: 1 })}
          >
            {PAGE_SIZES.map((size) => (
              <option key={size} value={size}>
                {size}
              </option>
            ))}
          </select>{" "}
          a page
        </label>
      )}
    </nav>
  );
}
