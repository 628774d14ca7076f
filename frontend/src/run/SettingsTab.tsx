import type { Run } from "../api/types";
import { Link } from "../app/Link";
import { describePath, describeValue } from "../form/describe";
import { isData } from "../form/values";
import { formatAbsolute } from "../format";
import { useNews, usePageSession } from "./session";
import table from "../ui/Table.module.css";

/** The run's complete spec, and where it comes from. */
export function SettingsTab({ run }: { run: Run }) {
  const session = usePageSession();
  useNews(session);
  const { versions } = session.store.model;
  const rows = [...flatten(run.spec, "")].filter(([path]) => path !== "name");
  return (
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
