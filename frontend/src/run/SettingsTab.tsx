import type { ReactNode } from "react";
import type { Run } from "../api/types";
import { Link } from "../app/Link";
import { describeSetting } from "../form/describe";
import { labelOf } from "../form/schema";
import { isData } from "../form/values";
import { formatAbsolute } from "../format";
import { RetunePanel } from "../retune/RetunePanel";
import { useNews, usePageSession } from "./session";
import css from "./SettingsTab.module.css";

/** What can be changed while the run trains, its complete spec as it was started, and where it comes from. */
export function SettingsTab({ run }: { run: Run }) {
  const session = usePageSession();
  useNews(session);
  const { versions, entries } = session.store.model;
  const numRetuned = entries.reduce((num, { kind }) => num + (kind === "retuned" ? 1 : 0), 0);
  const settings = Object.entries(run.spec).filter(([key]) => key !== "name");
  const inForce = new Map(run.retuned.map(({ path, in_force: value }) => [path, value]));
  return (
    <>
      <RetunePanel run={run} numRetuned={numRetuned} />
      <h2 className={css.title}>As it was started</h2>
      <div className={css.groups}>
        <Group title="This run">
          <Fact name="Id">{run.id}</Fact>
          <Fact name="Experiment">
            <Link to={`/experiments/${run.experiment_id}`}>{run.experiment_name}</Link>
          </Fact>
          {run.parent_id && (
            <Fact name="Cloned from">
              <Link to={`/runs/${run.parent_id}`}>{run.parent_id}</Link>
            </Fact>
          )}
          <Fact name="Created">{formatAbsolute(run.created_at)}</Fact>
          {run.started_at && <Fact name="Started">{formatAbsolute(run.started_at)}</Fact>}
          {run.finished_at && <Fact name="Ended">{formatAbsolute(run.finished_at)}</Fact>}
          {settings
            .filter(([, value]) => !isData(value))
            .map(([key, value]) => (
              <Setting key={key} path={key} value={value} inForce={inForce} />
            ))}
        </Group>
        {settings.map(
          ([group, values]) =>
            isData(values) && (
              <Group key={group} title={labelOf(group)}>
                {[...flatten(values, group)].map(([path, value]) => (
                  <Setting key={path} path={path} value={value} inForce={inForce} />
                ))}
              </Group>
            ),
        )}
        {Object.keys(versions).length > 0 && (
          <Group title="Versions">
            {Object.entries(versions).map(([name, version]) => (
              <Fact key={name} name={name}>
                {version}
              </Fact>
            ))}
          </Group>
        )}
      </div>
    </>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={css.group} aria-label={title}>
      <h3>{title}</h3>
      <dl>{children}</dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Setting({ path, value, inForce }: { path: string; value: unknown; inForce: ReadonlyMap<string, unknown> }) {
  const [, ...rest] = path.split(".");
  const key = rest.at(-1) ?? path;
  return (
    <Fact name={labelOf(rest.length === 0 ? path : rest.join(" "), "s")}>
      {describeSetting(key, value)}
      {inForce.has(path) && (
        <>
          <span className="quiet"> at the start, now </span>
          {describeSetting(key, inForce.get(path))}
        </>
      )}
    </Fact>
  );
}

/** Give each setting with its dotted path. */
function* flatten(value: unknown, path: string): Generator<[string, unknown]> {
  if (!isData(value)) {
    yield [path, value];
    return;
  }
  for (const [key, one] of Object.entries(value)) yield* flatten(one, `${path}.${key}`);
}
