import type { Run } from "../api/types";
import { Link } from "../app/Link";
import { describePath, describeValue } from "../form/describe";
import { isData } from "../form/values";
import { formatAbsolute } from "../format";
import { RetunePanel } from "../retune/RetunePanel";
import { useNews, usePageSession } from "./session";
import table from "../ui/Table.module.css";

/** What can be changed while the run trains, its complete spec as it was started, and where it comes from. */
export function SettingsTab({ run }: { run: Run }) {
  const session = usePageSession();
  useNews(session);
  const { versions, entries } = session.store.model;
  const numRetuned = entries.reduce((num, { kind }) => num + (kind === "retuned" ? 1 : 0), 0);
  const rows = [...flatten(run.spec, "")].filter(([path]) => path !== "name");
  const changed = new Map(run.retuned.map(({ path, in_force: inForce }) => [path, inForce]));
  return (
    <>
      <RetunePanel run={run} numRetuned={numRetuned} />
      <h2 style={{ marginBottom: 8 }}>As it was started</h2>
      <div className={table.scroll}>
        <table className={table.table}>
          <caption className="unseen">Settings of the run</caption>
          <tbody>
            <Row name="Run">{run.id}</Row>
            <Row name="Experiment">
              <Link to={`/experiments/${run.experiment_id}`}>{run.experiment_name}</Link>
            </Row>
            {run.parent_id && (
              <Row name="Cloned from">
                <Link to={`/runs/${run.parent_id}`}>{run.parent_id}</Link>
              </Row>
            )}
            <Row name="Created">{formatAbsolute(run.created_at)}</Row>
            {run.started_at && <Row name="Started">{formatAbsolute(run.started_at)}</Row>}
            {run.finished_at && <Row name="Ended">{formatAbsolute(run.finished_at)}</Row>}
            {rows.map(([path, value]) => (
              <Row key={path} name={describePath(path)}>
                {describeValue(value)}
                {changed.has(path) && (
                  <>
                    <span className="quiet"> at the start, now </span>
                    {describeValue(changed.get(path))}
                  </>
                )}
              </Row>
            ))}
            {Object.entries(versions).map(([name, version]) => (
              <Row key={name} name={`Version of ${name}`}>
                {version}
              </Row>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Row({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <tr>
      <th scope="row" style={{ width: "1%" }}>
        {name}
      </th>
      <td style={{ whiteSpace: "normal" }}>{children}</td>
    </tr>
  );
}

/** Give each setting with its dotted path. */
function* flatten(value: unknown, path: string): Generator<[string, unknown]> {
  if (!isData(value)) {
    yield [path, value];
    return;
  }
  for (const [key, one] of Object.entries(value)) yield* flatten(one, path === "" ? key : `${path}.${key}`);
}
