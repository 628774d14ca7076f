import { useState } from "react";
import { api } from "../api/client";
import { useResource } from "../api/resource";
import { isActive } from "../api/states";
import type { Run } from "../api/types";
import { formatAbsolute, formatCount } from "../format";
import { nodeName, wallTimeS, type Entry, type RunModel } from "../store/model";
import type { Selection } from "../timeline/selection";
import { exactTime } from "../timeline/ticks";
import { Button } from "../ui/Button";
import { Notice } from "../ui/Notice";
import { SkeletonRows } from "../ui/Skeleton";
import { useNews, usePageSession } from "./session";
import table from "../ui/Table.module.css";
import css from "./Tabs.module.css";

const PAGE = 100;
const TAIL_BYTES = 64_000;
const REFRESH_MS = 3000;

interface Props {
  run: Run;
  onSelect: (selection: Selection | null) => void;
}

/** The run's diary, the newest first, and what its processes printed. */
export function LogTab({ run, onSelect }: Props) {
  const session = usePageSession();
  useNews(session);
  const [numRows, setNumRows] = useState(PAGE);
  const { model } = session.store;
  const { entries } = model;
  const shown = entries.slice(-numRows).reverse();
  const show = (entry: Entry) => {
    onSelect({ kind: "entry", node: entry.node, seq: entry.seq });
    session.view.reveal(entry.atS);
  };
  return (
    <>
      {entries.length === 0 && <p className="quiet">Joins, losses, checkpoints and messages of the run stand here.</p>}
      {entries.length > 0 && (
        <div className={table.scroll}>
          <table className={table.table}>
            <caption className="unseen">What happened, the newest first</caption>
            <thead>
              <tr>
                <th scope="col" className={table.right}>
                  Time
                </th>
                <th scope="col">Node</th>
                <th scope="col">What happened</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((entry) => (
                <tr key={entry.seq}>
                  <td className={table.right} title={wallTime(model, entry)}>
                    <button type="button" className={css.link} onClick={() => show(entry)}>
                      {exactTime(entry.atS)}
                    </button>
                  </td>
                  <td>{entry.node ? nodeName(entry.node) : ""}</td>
                  <td className={css.told}>
                    {entry.level !== "info" && (
                      <span className={css.level} data-level={entry.level}>
                        {entry.level}:{" "}
                      </span>
                    )}
                    {entry.text}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {entries.length > numRows && (
        <Button className={css.more ?? ""} onClick={() => setNumRows(numRows + 4 * PAGE)}>
          Older entries ({formatCount(entries.length - numRows)})
        </Button>
      )}
      <ProcessOutput run={run} />
    </>
  );
}

function wallTime(model: RunModel, entry: Entry): string | undefined {
  const atS = wallTimeS(model, entry);
  return atS === null ? undefined : formatAbsolute(new Date(atS * 1000).toISOString());
}

function ProcessOutput({ run }: { run: Run }) {
  const key = run.state === "queued" ? null : `log:${run.id}`;
  const { data, error, isLoading } = useResource(key, (signal) => api.runLog(run.id, TAIL_BYTES, signal), isActive(run.state) ? REFRESH_MS : 0);
  if (key === null) return null;
  return (
    <section className={css.part}>
      <h2>What the processes printed</h2>
      {error && <Notice kind="fault">{error.message}</Notice>}
      {isLoading && <SkeletonRows num={3} label="Loading the output" />}
      {data === "" && <p className="quiet">Nothing so far.</p>}
      {data && (
        // A region that scrolls must be reachable by keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <pre className={css.output} tabIndex={0} role="region" aria-label="Output of the processes">
          {data}
        </pre>
      )}
    </section>
  );
}
