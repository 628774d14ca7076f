import { useMemo, useState, type ReactNode } from "react";
import { api } from "../api/client";
import { askEarly, useKept, useResource } from "../api/resource";
import { isActive } from "../api/states";
import type { ComparedCurves, Comparison, Run } from "../api/types";
import { Link } from "../app/Link";
import { useIsPainted } from "../app/later";
import { changeQuery, navigate, useLocation } from "../app/router";
import { useTitle } from "../app/title";
import { usePolicies } from "../form/PolicyText";
import { plural } from "../format";
import { ExportMenu } from "../export/ExportMenu";
import { LoadFault } from "../ui/LoadFault";
import { SkeletonRows } from "../ui/Skeleton";
import { CurvePlot } from "./CurvePlot";
import { DifferenceTable } from "./DifferenceTable";
import type { Line } from "./figures";
import { GroupTable } from "./GroupTable";
import { groupsOf, isRepeated, verdictOf, type Group } from "./groups";
import { labelRuns } from "./labels";
import { hasOneTarget } from "./metrics";
import { MetricTable } from "./MetricTable";
import { Parallel } from "./Parallel";
import { readBrushes, writeBrushes } from "./parallel";
import { styleRuns, styleSettings, type RunStyle } from "./styles";
import { pointsOf, Tradeoff } from "./Tradeoff";
import { WaitingTable } from "./WaitingTable";
import css from "./ComparePage.module.css";

const LIVE_MS = 2500;
const refreshOf = (comparison: Comparison | undefined) =>
  comparison?.runs.some(({ state }) => isActive(state)) ? LIVE_MS : 0;

/** Which setting wins, by how much, and how sure that is: settings over their seeds, curves, each run, what differs. */
export function ComparePage() {
  const { query } = useLocation();
  const ids = useMemo(() => [...new Set((query.get("runs") ?? "").split(",").filter(Boolean))], [query]);
  useTitle("Compare");
  if (ids.length === 0) return <NothingChosen />;
  return <Loader ids={ids} baselineId={query.get("baseline")} query={query} />;
}

function NothingChosen() {
  return (
    <>
      <h1>Compare</h1>
      <p>
        Nothing to compare yet: select two or more runs in the <Link to="/runs">History</Link>.
      </p>
    </>
  );
}

function Loader({ ids, baselineId, query }: { ids: string[]; baselineId: string | null; query: URLSearchParams }) {
  const base = baselineId !== null && ids.includes(baselineId) ? baselineId : null;
  const key = `compare/${ids.join(",")}/${base ?? ""}`;
  const fresh = useResource(key, (signal) => api.compare(ids, base, signal), refreshOf);
  const { data } = useKept(fresh.data);
  useState(() => askEarly(...curvesOf(ids))); // not only when the tables stand
  const { error } = fresh;
  if (data) return <View comparison={data} baselineId={baselineId} query={query} />;
  return (
    <>
      <h1>Compare</h1>
      {error ? (
        <LoadFault title="These runs cannot be compared." error={error} resource="compare/">
          <p>
            <Link to="/runs">Choose others in the History</Link>
          </p>
        </LoadFault>
      ) : (
        <SkeletonRows num={12} label="Loading the comparison" />
      )}
    </>
  );
}

interface ViewProps {
  comparison: Comparison;
  baselineId: string | null;
  query: URLSearchParams;
}

function View({ comparison, baselineId, query }: ViewProps) {
  const { runs, differences } = comparison;
  const policies = usePolicies();
  const ids = useMemo(() => runs.map(({ id }) => id), [runs]);
  const styles = useMemo(() => styleRuns(ids), [ids]);
  const labels = useMemo(() => labelRuns(runs, differences, policies), [runs, differences, policies]);
  const groups = useMemo(() => groupsOf(comparison, policies), [comparison, policies]);
  const settingStyles = useMemo(() => styleSettings(groups, styles), [groups, styles]);
  const baseline = runs.find(({ id }) => id === baselineId) ?? runs[0];
  const isWhole = useIsPainted();
  const hasSettings = groups.length > 1;
  const by = hasSettings && query.get("by") !== "runs" && isRepeated(groups) ? "settings" : "runs";
  const lines = useLines(comparison, groups, by, labels, by === "settings" ? settingStyles : styles);
  if (!baseline) return <NothingChosen />;
  const change = (changes: Record<string, string | null>) => navigate(`/compare${changeQuery(query, changes)}`, { replace: true });
  const target = hasOneTarget(runs) ? baseline.spec.stop.target : null;
  const targetOf = (metric: string) => (target?.metric === metric ? target.value : null);
  const verdict = hasOneTarget(runs) ? verdictOf(groups) : "";
  const plot = { lines, hasBands: by === "settings" };
  return (
    <div className={css.page}>
      <header>
        <p className={css.path}>
          <Link to="/runs">History</Link>
        </p>
        <div className={css.head}>
          <h1>Compare {plural(runs.length, "run")}</h1>
          <ExportMenu runIds={ids} />
        </div>
        {verdict && <p className={css.verdict}>{verdict}</p>}
      </header>
      {hasSettings && (
        <Part title="Settings" note={noteOf(runs, groups)}>
          <GroupTable groups={groups} styles={settingStyles} onBaseline={(id) => change({ baseline: id })} />
        </Part>
      )}
      <Part title="Curves" aside={hasSettings && isRepeated(groups) && <Choice by={by} onChoose={(next) => change({ by: next === "runs" ? "runs" : null })} />}>
        <div className={css.plots}>
          <CurvePlot {...plot} quantity="loss" along="seconds" target={targetOf("test_loss")} />
          <CurvePlot {...plot} quantity="accuracy" along="seconds" target={targetOf("test_accuracy")} />
          <CurvePlot {...plot} quantity="loss" along="iterations" target={targetOf("test_loss")} />
          {hasSettings && pointsOf(groups, settingStyles).length > 1 ? (
            <Tradeoff groups={groups} styles={settingStyles} />
          ) : (
            <CurvePlot {...plot} quantity="accuracy" along="iterations" target={targetOf("test_accuracy")} />
          )}
        </div>
      </Part>
      {isWhole && (
        <>
          {runs.length > 2 && (
            <Part title="What leads where">
              <Parallel
                comparison={comparison}
                colours={coloursOf(groups, by === "settings" ? settingStyles : styles, by)}
                labels={labels}
                brushes={readBrushes(query.get("brush"))}
                onBrush={(brushes) => change({ brush: writeBrushes(brushes) })}
              />
            </Part>
          )}
          <Part title="Each run" note={hasSettings ? "" : noteOf(runs, groups)}>
            <MetricTable runs={runs} labels={labels} styles={styles} baseline={baseline} onBaseline={(id) => change({ baseline: id })} />
          </Part>
          {runs.length > 1 && (
            <Part title="Settings that differ">
              <DifferenceTable runs={runs} differences={differences} labels={labels} styles={styles} />
            </Part>
          )}
          <Part title="Waiting of each worker">
            <WaitingTable runs={runs} labels={labels} styles={styles} />
          </Part>
        </>
      )}
    </div>
  );
}

type By = "settings" | "runs";

/** The colour of each run: that of its setting, or its own. */
function coloursOf(groups: readonly Group[], styles: ReadonlyMap<string, RunStyle>, by: By): ReadonlyMap<string, number> {
  return new Map(
    groups.flatMap((group) =>
      group.run_ids.map((runId) => [runId, styles.get(by === "settings" ? group.id : runId)?.colour ?? 1] as const),
    ),
  );
}

/** Whether the curves are those of each setting, with a band over its seeds, or of each run. */
function Choice({ by, onChoose }: { by: By; onChoose: (by: By) => void }) {
  return (
    <fieldset className={css.choice}>
      <legend className="unseen">A curve for</legend>
      {(["settings", "runs"] as const).map((one) => (
        <label key={one}>
          <input type="radio" name="curves-by" checked={by === one} onChange={() => onChoose(one)} />
          {one === "settings" ? "each setting, over its seeds" : "each run"}
        </label>
      ))}
    </fieldset>
  );
}

interface PartProps {
  title: string;
  note?: string;
  aside?: ReactNode;
  children: ReactNode;
}

function Part({ title, note = "", aside, children }: PartProps) {
  const id = `part-${title.replaceAll(" ", "-").toLowerCase()}`;
  return (
    <section aria-labelledby={id} className={css.part}>
      <div className={css.head}>
        <h2 id={id}>{title}</h2>
        {aside}
      </div>
      {children}
      {note !== "" && <p className={css.note}>{note}</p>}
    </section>
  );
}

/** What must be said beside the results so that nobody reads more out of them than they hold. */
function noteOf(runs: readonly Run[], groups: readonly Group[]): string {
  const parts = [];
  if (!hasOneTarget(runs)) parts.push("The runs have different targets: their times to target do not compare.");
  const numSimulated = runs.filter((run) => run.is_simulated).length;
  if (numSimulated === runs.length) parts.push("All times are virtual: simulated, not measured.");
  else if (numSimulated > 0)
    parts.push("Times of simulated runs are virtual and the others measured: they compare only as far as the model holds.");
  if (runs.some(({ state }) => isActive(state))) parts.push("Some runs have not ended; their figures still change.");
  if (groups.length > 1) {
    if (isRepeated(groups))
      parts.push("Means over the seeds ± half of the 95% interval (Student’s t); against the baseline in pairs of the same seed, bold where the interval excludes no change. With many settings, one in twenty such intervals errs.");
    else parts.push("One run of each setting: a difference may be chance. More seeds tell how sure it is.");
  }
  return parts.join(" ");
}

/** The key of the curves, and how to get them. */
function curvesOf(ids: readonly string[]): [string, (signal: AbortSignal) => Promise<ComparedCurves>] {
  return [`compared-curves/${ids.join(",")}`, (signal) => api.comparedCurves(ids, signal)];
}

/** The curves of each run, or of each setting with its band. */
function useLines(
  { runs }: Comparison,
  groups: readonly Group[],
  by: By,
  labels: ReadonlyMap<string, string>,
  styles: ReadonlyMap<string, RunStyle>,
): Line[] {
  const [key, fetcher] = curvesOf(runs.map(({ id }) => id));
  const { data } = useResource(key, fetcher, runs.some(({ state }) => isActive(state)) ? LIVE_MS : 0);
  return useMemo(() => {
    const evaluations = new Map(data?.runs.map((one) => [one.run_id, one.evaluations]));
    const bands = new Map(data?.groups.map((one) => [one.run_ids.join(), one]));
    const lineOf = (run: Run, label: string, group: Group | null): Line[] => {
      const style = styles.get(group?.id ?? run.id);
      const name = `${label}${run.is_simulated ? " (simulated)" : ""}`;
      const found = group ? (bands.get(group.run_ids.join()) ?? null) : null;
      const own = evaluations.get(run.id) ?? null;
      return style ? [{ id: run.id, label: name, style, evaluations: own, bands: found, isSimulated: run.is_simulated }] : [];
    };
    if (by === "runs") return runs.flatMap((run) => lineOf(run, labels.get(run.id) ?? run.name, null));
    return groups.flatMap((group) => (group.members[0] ? lineOf(group.members[0], group.name, group) : []));
  }, [data, runs, groups, by, labels, styles]);
}
