import { ExportMenu } from "../export/ExportMenu";
import { plural } from "../format";
import { Button, ButtonLink } from "../ui/Button";
import { changeRuns, type Target } from "./actions";
import { compareUrl, MOST_COMPARED } from "./links";
import { isAll, isBin, type HistoryView } from "./view";
import css from "./HistoryPage.module.css";

interface Props {
  view: HistoryView;
  target: Target | null; // null: nothing is selected, or how many is not known yet
  numMatching: number | null; // runs that the filter lets through; null: not counted yet
  isWholePage: boolean; // every run of the page is selected
  onSelectAll: () => void;
  onClear: () => void;
  onAsk: (what: "tags" | "purge" | "clone") => void;
}

/** What can be done with the selection. Always there, so that a first selection moves nothing. */
export function SelectionBar({ view, target, numMatching, isWholePage, onSelectAll, onClear, onAsk }: Props) {
  const { selected } = view;
  const hasAll = isAll(selected);
  const num = hasAll ? (numMatching ?? 0) : selected.length;
  const run = (change: "archive" | "unarchive" | "delete" | "restore") => {
    if (target) void changeRuns(target, change).then((ids) => ids.length > 0 && onClear()); // they stand elsewhere now
  };
  const isArchive = view.filter.includes("is:archived");
  const mayCompare = !hasAll && num > 1 && num <= MOST_COMPARED;
  return (
    <div className={css.bar} role="toolbar" aria-label="With the selected runs">
      {mayCompare ? (
        <ButtonLink kind="primary" to={compareUrl(selected)}>
          Compare {num}
        </ButtonLink>
      ) : (
        <Button disabled title={`Select from two to ${MOST_COMPARED} runs`}>
          Compare
        </Button>
      )}
      {isBin(view) ? (
        <>
          <Button kind="quiet" disabled={!target} onClick={() => run("restore")}>
            Restore
          </Button>
          <Button kind="quiet" disabled={!target} onClick={() => onAsk("purge")}>
            Delete for good
          </Button>
        </>
      ) : (
        <>
          <ExportMenu kind="quiet" runIds={selected} isDisabled={num === 0 || num > MOST_COMPARED || hasAll} />
          <Button kind="quiet" disabled={num !== 1 || hasAll} onClick={() => onAsk("clone")}>
            Clone
          </Button>
          <Button kind="quiet" disabled={!target} onClick={() => onAsk("tags")}>
            Tag
          </Button>
          <Button kind="quiet" disabled={!target} onClick={() => run(isArchive ? "unarchive" : "archive")}>
            {isArchive ? "Unarchive" : "Archive"}
          </Button>
          <Button kind="quiet" disabled={!target} onClick={() => run("delete")}>
            Delete
          </Button>
        </>
      )}
      <span className="quiet" role="status">
        {num > 0
          ? `${plural(num, "run")} selected`
          : isBin(view)
            ? "Select runs to restore them or to delete them for good."
            : "Select two or more runs to compare them."}
      </span>
      {isWholePage && !hasAll && numMatching !== null && numMatching > num && (
        <Button kind="quiet" onClick={onSelectAll}>
          Select all {plural(numMatching, "run")} that match
        </Button>
      )}
      {selected.length > 0 && (
        <Button kind="quiet" onClick={onClear}>
          Clear
        </Button>
      )}
    </div>
  );
}
