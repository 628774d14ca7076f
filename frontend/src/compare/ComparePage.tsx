import { useMemo, type ReactNode } from "react";
import { api } from "../api/client";
import { useResource, useResources } from "../api/resource";
import type { Comparison, Curves, Run } from "../api/types";
import { Link } from "../app/Link";
import { changeQuery, navigate, useLocation } from "../app/router";
import { useTitle } from "../app/title";
import { plural } from "../format";
import { Notice } from "../ui/Notice";
import { SkeletonRows } from "../ui/Skeleton";
import { isActive } from "../ui/StateMark";
import { CurvePlot } from "./CurvePlot";
import { DifferenceTable } from "./DifferenceTable";
import type { RunCurves } from "./figures";
import { certaintyOf, GroupTable } from "./GroupTable";
import { groupRuns, type Group } from "./groups";
import { labelRuns } from "./labels";
import { hasOneTarget } from "./metrics";
import { MetricTable } from "./MetricTable";
import { styleRuns } from "./styles";
import { WaitingTable } from "./WaitingTable";
import css from "./ComparePage.module.css";

const LIVE_MS = 2500;
const refreshOf = (comparison: Comparison | undefined) =>
  comparison?.runs.some(({ state }) => isActive(state)) ? LIVE_MS : 0;

/** Runs side by side: results against a baseline, what differs, curves, waiting of each worker. */
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
  const { data, error } = useResource(`compare/${ids.join(",")}`, (signal) => api.compare(ids, signal), refreshOf);
  if (data) return <View comparison={data} baselineId={baselineId} query={query} />;
  return (
    <>
      <h1>Compare</h1>
      {error ? (
        <Notice kind="fault" title="These runs cannot be compared.">
          <p>{error.message}</p>
          <p>
            <Link to="/runs">Choose others in the History</Link>
          </p>
        </Notice>
      ) : (
        <SkeletonRows num={12} label="Loading the comparison" />
      )}
    </>
  );
}

function View({
  comparison,
  baselineId,
  query,
}: {
  comparison: Comparison;
  baselineId: string | null;
  query: URLSearchParams;
}) {
  const { runs, differences } = comparison;
  const ids = useMemo(() => runs.map(({ id }) => id), [runs]);
  const styles = useMemo(() => styleRuns(ids), [ids]);
  const labels = useMemo(() => labelRuns(runs, differences), [runs, differences]);
  const groups = useMemo(() => groupRuns(runs), [runs]);
  const plots = usePlots(runs, labels, styles);
  const baseline = runs.find(({ id }) => id === baselineId) ?? runs[0];
  if (!baseline) return <NothingChosen />;
  const chooseBaseline = (id: string) => navigate(`/compare${changeQuery(query, { baseline: id })}`, { replace: true });
  const target = hasOneTarget(runs) ? baseline.spec.stop.target : null;
  const targetOf = (metric: string) => (target?.metric === metric ? target.value : null);
  const isRepeated = groups.some((group) => group.runs.length > 1);
  return (
    <div className={css.page}>
      <header>
        <p className={css.path}>
          <Link to="/runs">History</Link>
        </p>
        <h1>Compare {plural(runs.length, "run")}</h1>
      </header>
      <Part title="Results" note={noteOf(runs, groups, isRepeated)}>
        <MetricTable runs={runs} labels={labels} styles={styles} baseline={baseline} onBaseline={chooseBaseline} />
      </Part>
      {isRepeated && groups.length > 1 && (
        <Part title="Each setting over its seeds" note={certaintyOf(groups)}>
          <GroupTable groups={groups} baseline={baseline} nameOf={(group) => groupName(group, comparison)} />
        </Part>
      )}
      <Part title="Settings that differ">
        <DifferenceTable runs={runs} differences={differences} labels={labels} styles={styles} />
      </Part>
      <Part title="Curves">
        <div className={css.plots}>
          <CurvePlot runs={plots} quantity="accuracy" axis="seconds" target={targetOf("test_accuracy")} />
          <CurvePlot runs={plots} quantity="accuracy" axis="iterations" target={targetOf("test_accuracy")} />
          <CurvePlot runs={plots} quantity="loss" axis="seconds" target={targetOf("test_loss")} />
          <CurvePlot runs={plots} quantity="loss" axis="iterations" target={targetOf("test_loss")} />
        </div>
      </Part>
      <Part title="Waiting of each worker">
        <WaitingTable runs={runs} labels={labels} styles={styles} />
      </Part>
    </div>
  );
}

function Part({ title, note = "", children }: { title: string; note?: string; children: ReactNode }) {
  const id = `part-${title.replaceAll(" ", "-").toLowerCase()}`;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
      {note !== "" && <p className={css.note}>{note}</p>}
    </section>
  );
}

/** What must be said beside the results so that nobody reads more out of them than they hold. */
function noteOf(runs: readonly Run[], groups: readonly Group[], isRepeated: boolean): string {
  const parts = [];
  if (!hasOneTarget(runs)) parts.push("The runs have different targets: their times to target do not compare.");
  const numSimulated = runs.filter((run) => run.is_simulated).length;
  if (numSimulated === runs.length) parts.push("All times are virtual: simulated, not measured.");
  else if (numSimulated > 0)
    parts.push("Times of simulated runs are virtual and the others measured: they compare only as far as the model holds.");
  if (runs.some(({ state }) => isActive(state))) parts.push("Some runs have not ended; their figures still change.");
  if (!isRepeated && groups.length > 1)
    parts.push("One run of each setting: a difference may be chance. More seeds tell how sure it is.");
  return parts.join(" ");
}

/** A setting's name: what differs, without the seed. */
function groupName(group: Group, { runs, differences }: Comparison): string {
  const [first] = group.runs;
  if (!first) return "";
  const sameName = runs.map((run) => ({ ...run, name: first.experiment_name }));
  const withoutSeed = differences.filter(({ path }) => path !== "seed" && path !== "name");
  return labelRuns(sameName, withoutSeed).get(first.id) ?? first.name;
}

function usePlots(
  runs: readonly Run[],
  labels: ReadonlyMap<string, string>,
  styles: ReturnType<typeof styleRuns>,
): RunCurves[] {
  const curves = useResources<Curves>(
    runs.map(({ id, state }) => ({
      key: `curves/${id}`,
      fetcher: (signal: AbortSignal) => api.curves(id, signal),
      refreshMs: isActive(state) ? LIVE_MS : 0,
    })),
  );
  return useMemo(
    () =>
      runs.flatMap((run, index) => {
        const style = styles.get(run.id);
        const label = `${labels.get(run.id) ?? run.name}${run.is_simulated ? " (simulated)" : ""}`;
        return style ? [{ id: run.id, label, style, curves: curves[index], isSimulated: run.is_simulated }] : [];
      }),
    [runs, labels, styles, curves],
  );
}
