import { useState } from "react";
import type { Run } from "../api/types";
import { formatCount, formatDelta, formatSeconds } from "../format";
import { outcomeOf } from "../store/figures";
import type { RunModel } from "../store/model";
import type { Selection } from "../timeline/selection";
import { exactTime } from "../timeline/ticks";
import { Button } from "../ui/Button";
import { useNews, usePageSession } from "./session";
import table from "../ui/Table.module.css";
import css from "./Tabs.module.css";

const PAGE = 50;

interface Props {
  run: Run;
  onSelect: (selection: Selection | null) => void;
}

/** Synchronisations, the newest first: predicted beside actual; without predictions, the updates that were applied. */
export function SyncTable({ run, onSelect }: Props) {
  const session = usePageSession();
  useNews(session);
  const [numRows, setNumRows] = useState(PAGE);
  const { model } = session.store;
  const hasWindows = model.windows.length > 0;
  const hasIterations = model.workers.some(({ forecasts }) => forecasts.length > 0);
  const num = hasWindows ? model.windows.length : model.aggregates.length;
  if (num === 0) return <p className="quiet">No synchronisation has happened yet.</p>;
  const rows = Array.from({ length: Math.min(num, numRows) }, (_, i) => num - 1 - i);
  const show = (kind: "sync" | "window", atS: number) => {
    onSelect({ kind, node: "server", atS });
    session.view.reveal(atS);
  };
  return (
    <>
      {!hasWindows && <p className="quiet">Under {run.spec.policy.name}, synchronisations are not predicted{hasIterations && "; the end of each worker’s iteration is (see Nodes)"}. These updates were applied.</p>}
      <div className={table.scroll}>
        <table className={table.table}>
          <caption className="unseen">Synchronisations, the newest first</caption>
          {hasWindows ? <WindowRows model={model} rows={rows} onShow={(atS) => show("window", atS)} /> : <UpdateRows model={model} rows={rows} onShow={(atS) => show("sync", atS)} />}
        </table>
      </div>
      {num > numRows && (
        <Button className={css.more ?? ""} onClick={() => setNumRows(numRows + 4 * PAGE)}>
          Older ones ({formatCount(num - numRows)})
        </Button>
      )}
    </>
  );
}

interface RowsProps {
  model: RunModel;
  rows: number[];
  onShow: (atS: number) => void;
}

function WindowRows({ model, rows, onShow }: RowsProps) {
  const { windows } = model;
  return (
    <>
      <Head titles={["Version", "Predicted for", "Predicted window, 5–95%", "Actual", "Actual − predicted", "Inside the window", "First predicted for", "Plans", "Pushes"]} />
      <tbody>
        {rows.map((row) => {
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

function UpdateRows({ model, rows, onShow }: RowsProps) {
  const { aggregates } = model;
  return (
    <>
      <Head titles={["Version", "Applied at", "Pushes", "Largest staleness", "Why"]} isLastText />
      <tbody>
        {rows.map((row) => (
          <tr key={aggregates.get(row, "seq")}>
            <th scope="row" className={table.right}>
              <button type="button" className={css.link} onClick={() => onShow(aggregates.at[row] as number)}>
                {formatCount(aggregates.get(row, "version"))}
              </button>
            </th>
            <td className={table.right}>{exactTime(aggregates.at[row] as number)}</td>
            <td className={table.right}>{aggregates.get(row, "numPushes")}</td>
            <td className={table.right}>{aggregates.get(row, "maxStaleness")}</td>
            <td className={table.fill}>{model.sentences[aggregates.get(row, "reason")]}</td>
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
