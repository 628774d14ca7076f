import { useState } from "react";
import { api, ApiError } from "../api/client";
import { invalidate, useResource } from "../api/resource";
import { isActive } from "../api/states";
import type { Experiment, Run } from "../api/types";
import { Link } from "../app/Link";
import { navigate } from "../app/router";
import { useTitle } from "../app/title";
import { describeValue } from "../form/describe";
import { describePolicy } from "../form/policy";
import { usePolicies } from "../form/PolicyText";
import type { UnionField } from "../form/schema";
import { getAt } from "../form/values";
import { compareUrl } from "../history/links";
import { RunTable } from "../history/RunTable";
import { Button, ButtonLink } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { LoadFault } from "../ui/LoadFault";
import { Notice } from "../ui/Notice";
import { Progress } from "../ui/Progress";
import { SkeletonRows } from "../ui/Skeleton";
import { SimulatedMark } from "../ui/SimulatedMark";
import { Time } from "../ui/Time";
import { plural } from "../format";
import { contentOf } from "./ExperimentList";
import css from "./ExperimentPage.module.css";

const refreshOf = (experiment: Experiment | undefined) =>
  experiment?.runs.some(({ state }) => isActive(state)) ? 1000 : 6000;

/** One experiment: how far it is, its runs with their figures, and what can be done with it. */
export function ExperimentPage({ experimentId }: { experimentId: string }) {
  const { data, error, isLoading } = useResource(
    `experiment/${experimentId}`,
    (signal) => api.experiment(experimentId, signal),
    refreshOf,
  );
  useTitle(data?.name ?? "Experiment");
  if (!data) {
    return (
      <>
        <h1>Experiment</h1>
        {isLoading && <SkeletonRows num={8} label="Loading the experiment" />}
        {error && (
          <LoadFault title="This experiment cannot be shown." error={error} resource={`experiment/${experimentId}`}>
            <p>
              <Link to="/experiments">All experiments</Link>
            </p>
          </LoadFault>
        )}
      </>
    );
  }
  return <View experiment={data} />;
}

function View({ experiment }: { experiment: Experiment }) {
  const policies = usePolicies();
  const [selected, setSelected] = useState<string[]>([]);
  const [isDeleting, setDeleting] = useState(false);
  const [error, setError] = useState("");
  const { runs, num_done: numDone, num_runs: numRuns } = experiment;
  const active = runs.filter(({ state }) => isActive(state));
  const toCompare = selected.length > 1 ? selected : runs.filter(({ state }) => state !== "queued").map(({ id }) => id);
  const stop = async () => {
    setError("");
    try {
      for (const run of active.toReversed()) await api.stopRun(run.id); // what waits first, so that nothing starts meanwhile
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setError(problem.message);
    }
    invalidate("experiment");
    invalidate("queue");
  };
  return (
    <>
      <header className={css.header}>
        <div>
          <p className={css.path}>
            <Link to="/experiments">Experiments</Link>
          </p>
          <h1>{experiment.name}</h1>
          <p className="quiet">
            {[contentOf(experiment, policies), taskOf(runs)].filter(Boolean).join(" · ")} · created <Time iso={experiment.created_at} />{" "}
            {runs.length > 0 && runs.every((run) => run.is_simulated) && <SimulatedMark />}
          </p>
        </div>
        <div className={css.actions}>
          {toCompare.length > 1 ? (
            <ButtonLink
              kind={active.length === 0 || selected.length > 1 ? "primary" : "plain"}
              to={compareUrl(toCompare)}
            >
              {selected.length > 1 ? `Compare ${selected.length}` : "Compare all"}
            </ButtonLink>
          ) : (
            <Button disabled>Compare</Button>
          )}
          {active.length > 0 && <Button onClick={() => void stop()}>Stop {plural(active.length, "run")}</Button>}
          <ButtonLink to={`/experiments?from=${experiment.id}`}>Use as a draft</ButtonLink>
          <Button kind="quiet" onClick={() => setDeleting(true)}>
            Delete
          </Button>
        </div>
      </header>
      <p className={css.progress} role="status">
        <Progress share={numRuns > 0 ? numDone / numRuns : 1} label="Runs done" /> {numDone} of {plural(numRuns, "run")}{" "}
        done{otherEnds(runs)}
      </p>
      {error !== "" && <Notice kind="fault">{error}</Notice>}
      <RunTable
        caption={`Runs of ${experiment.name}`}
        runs={runs}
        selected={selected}
        onSelect={setSelected}
        nameOf={(run) => nameInGrid(run, experiment, policies)}
        without={["policy", "seed", "created"]}
      />
      {isDeleting && <DeleteExperiment experiment={experiment} onClose={() => setDeleting(false)} />}
    </>
  );
}

/** ": 1 failed, 2 stopped": those that are done, but not as was asked for. */
export function otherEnds(runs: readonly Pick<Run, "state">[]): string {
  const parts = (["failed", "stopped"] as const).flatMap((end) => {
    const num = runs.filter(({ state }) => state === end).length;
    return num > 0 ? [`${num} ${end}`] : [];
  });
  return parts.length > 0 ? `: ${parts.join(", ")}` : "";
}

/** What all runs have in common: "mlp on digits, 4 workers"; what differs stands in the table. */
function taskOf(runs: readonly Run[]): string {
  const only = (values: readonly string[]) => (new Set(values).size === 1 ? [values[0] ?? ""] : []);
  const task = only(runs.map(({ spec }) => `${spec.task.model} on ${spec.task.dataset}`));
  return [...task, ...only(runs.map(({ spec }) => plural(spec.cluster.num_workers, "worker")))].join(", ");
}

/** What a run stands for in its experiment: "ssp (threshold 3), learning rate 0.1, seed 2". */
export function nameInGrid(run: Run, { spec }: Pick<Experiment, "spec">, policies: UnionField | null): string {
  const paths = Object.keys(spec.grid).filter((path) => path !== "policy" && !path.startsWith("policy."));
  const others = paths.map(
    (path) => `${path.slice(path.lastIndexOf(".") + 1).replaceAll("_", " ")} ${describeValue(getAt(run.spec, path))}`,
  );
  return [describePolicy(run.spec.policy, policies), ...others, `seed ${run.spec.seed}`].join(", ");
}

function DeleteExperiment({ experiment, onClose }: { experiment: Experiment; onClose: () => void }) {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const remove = async () => {
    setBusy(true);
    try {
      await api.deleteExperiment(experiment.id);
      for (const prefix of ["experiments", "runs", "queue"]) invalidate(prefix);
      navigate("/experiments", { replace: true });
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setError(problem.message);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={`Delete ${experiment.name}?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep</Button>
          <Button kind="danger" isBusy={isBusy} onClick={() => void remove()}>
            Delete {plural(experiment.num_runs, "run")} for good
          </Button>
        </>
      }
    >
      <p>
        What still trains is stopped; then all its runs are deleted with their events, checkpoints and logs. This cannot
        be undone.
      </p>
      {error !== "" && <Notice kind="fault">{error}</Notice>}
    </Dialog>
  );
}
