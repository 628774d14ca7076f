import { useState } from "react";
import type { Run } from "../api/types";
import { formatCount, formatDelta, formatSeconds } from "../format";
import { outcomeOf } from "../store/figures";
import { modelAround, type RunModel } from "../store/model";
import { useOlder } from "./useOlder";
import type { Selection } from "../timeline/selection";
import { exactTime } from "../timeline/ticks";
import { Button } from "../ui/Button";
import { Notice } from "../ui/Notice";
import { useNews, usePageSession, type Session } from "./session";
import table from "../ui/Table.module.css";
import css from "./Tabs.module.css";

const PAGE = 50;

interface Props {
  run: Run;
  onSelect: (selection: Selection | null) => void;
}

/** A row of a fold; of a long run, several folds stand behind one table. */
interface Row {
  model: RunModel;
  row: number;
}

/** Synchronisations, the newest first: predicted beside actual; without predictions, the updates that were applied. */
export function SyncTable({ run, onSelect }: Props) {
  const session = usePageSession();
  useNews(session);
  const [numRows, setNumRows] = useState(PAGE);
  const [isInSight, setInSight] = useState(false);
  const older = useOlder(session.store);
  const { model, past } = session.store;
  const hasWindows = model.windows.length > 0;
  const hasIterations = model.workers.some(({ forecasts }) => forecasts.length > 0);
  const all = isInSight && past ? rowsInSight(session, hasWindows) : rowsOf([model, ...older.models], hasWindows);
  if (all?.length === 0 && !past) return <p className="quiet">No synchronisation has happened yet.</p>;
  const rows = all?.slice(0, numRows) ?? [];
  const num = all?.length ?? 0;
  const show = (kind: "sync" | "window", atS: number) => {
    onSelect({ kind, node: "server", atS });
    session.view.reveal(atS);
  };
  return (
    <>
      {!hasWindows && <p className="quiet">Under {run.spec.policy.name}, synchronisations are not predicted{hasIterations && "; the end of each worker’s iteration is (see Nodes)"}. These updates were applied.</p>}
      {past && (
        <p className={css.choice}>
          <label>
            <input type="checkbox" checked={isInSight} onChange={() => setInSight(!isInSight)} /> Only the stretch that the timeline shows
          </label>
        </p>
      )}
      {all === null && <p className="quiet">Zoom in on the timeline: its stretch holds too many to list.</p>}
      {all?.length === 0 && <p className="quiet">None in this stretch.</p>}
      {rows.length > 0 && (
        <div className={table.scroll}>
          <table className={table.table}>
            <caption className="unseen">Synchronisations, the newest first</caption>
            {hasWindows ? <WindowRows rows={rows} onShow={(atS) => show("window", atS)} /> : <UpdateRows rows={rows} onShow={(atS) => show("sync", atS)} />}
          </table>
        </div>
      )}
      {num > numRows && (
        <Button className={css.more ?? ""} onClick={() => setNumRows(numRows + 4 * PAGE)}>
          Older ones ({formatCount(num - numRows)}{past && !isInSight && older.hasMore ? " and more" : ""})
        </Button>
      )}
      {past && !isInSight && num <= numRows && older.hasMore && (
        <Button className={css.more ?? ""} isBusy={older.isLoading} onClick={() => void older.load().then(() => setNumRows(numRows + 4 * PAGE))}>
          Older ones
        </Button>
      )}
      {older.error && <Notice kind="fault">{older.error}</Notice>}
    </>
  );
}

function rowsOf(models: readonly RunModel[], hasWindows: boolean): Row[] {
  return models.flatMap((model) => {
    const { length } = hasWindows ? model.windows : model.aggregates;
    return Array.from({ length }, (_, i) => ({ model, row: length - 1 - i }));
  });
}

/** Give those of the stretch that is seen; null where only an overview of it is known. */
function rowsInSight({ store, view }: Session, hasWindows: boolean): Row[] | null {
  const model = modelAround(store.model, (view.fromS + view.toS) / 2);
  if (store.past && view.fromS < store.past.untilS && (model === store.model || !store.past.modelAt(view.fromS))) return null;
  return rowsOf([model], hasWindows).filter(({ row }) => {
    const atS = (hasWindows ? model.windows : model.aggregates).at[row] as number;
    return atS >= view.fromS && atS <= view.toS;
  });
}

interface RowsProps {
  rows: readonly Row[];
  onShow: (atS: number) => void;
}

function WindowRows({ rows, onShow }: RowsProps) {
  return (
    <>
      <Head titles={["Version", "Predicted for", "Predicted window, 5–95%", "Actual", "Actual − predicted", "Inside the window", "First predicted for", "Plans", "Pushes"]} />
      <tbody>
        {rows.map(({ model, row }) => {
          const { windows } = model;
          const { version, cutS, lowS, highS, actualS, errorS, isCovered } = outcomeOf(model, row);
          const isDecided = Number.isFinite(actualS);
          return (
            <tr key={`${version}-${windows.at[row] ?? 0}`}>
              <th scope="row" className={table.right}>
                <button type="button" className={css.link} onClick={() => onShow(windows.at[row] as number)}>
                  {formatCount(version)}
                </button>
              </th>
              <td className={table.right}>{exactTime(cutS)}</td>
              <td className={table.right}>
                {exactTime(lowS)} to {exactTime(highS)}
              </td>
              <td className={table.right}>{isDecided ? exactTime(actualS) : Number.isNaN(actualS) ? "to come" : "never came"}</td>
              <td className={table.right}>{isDecided ? formatDelta(errorS, formatSeconds) : ""}</td>
              <td className={table.right}>{isDecided ? (isCovered ? "yes" : "no") : ""}</td>
              <td className={table.right}>{exactTime(windows.get(row, "firstCutS"))}</td>
              <td className={table.right}>{windows.get(row, "numPlans")}</td>
              <td className={table.right}>{windows.get(row, "numPushes")}</td>
            </tr>
          );
        })}
      </tbody>
    </>
  );
}

function UpdateRows({ rows, onShow }: RowsProps) {
  return (
    <>
      <Head titles={["Version", "Applied at", "Pushes", "Largest staleness", "Why"]} isLastText />
      <tbody>
        {rows.map(({ model: { aggregates, sentences }, row }) => (
          <tr key={aggregates.get(row, "seq")}>
            <th scope="row" className={table.right}>
              <button type="button" className={css.link} onClick={() => onShow(aggregates.at[row] as number)}>
                {formatCount(aggregates.get(row, "version"))}
              </button>
            </th>
            <td className={table.right}>{exactTime(aggregates.at[row] as number)}</td>
            <td className={table.right}>{aggregates.get(row, "numPushes")}</td>
            <td className={table.right}>{aggregates.get(row, "maxStaleness")}</td>
            <td className={table.fill}>{sentences[aggregates.get(row, "reason")]}</td>
          </tr>
        ))}
      </tbody>
    </>
  );
}

function Head({ titles, isLastText = false }: { titles: string[]; isLastText?: boolean }) {
  return (
    <thead>
      <tr>
        {titles.map((title, i) => (
          <th key={title} scope="col" className={isLastText && i === titles.length - 1 ? undefined : table.right}>
            {title}
          </th>
        ))}
      </tr>
    </thead>
  );
}
