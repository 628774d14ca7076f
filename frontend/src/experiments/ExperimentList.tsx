import { useState } from "react";
import { api } from "../api/client";
import { useResource } from "../api/resource";
import type { ExperimentList as AllExperiments, ExperimentInfo } from "../api/types";
import { Link } from "../app/Link";
import { describePath, describeValue } from "../form/describe";
import { describePolicy } from "../form/policy";
import { usePolicies } from "../form/PolicyText";
import type { UnionField } from "../form/schema";
import { formatCount } from "../format";
import { Button } from "../ui/Button";
import { LoadFault } from "../ui/LoadFault";
import { Progress } from "../ui/Progress";
import { SkeletonRows } from "../ui/Skeleton";
import { Time } from "../ui/Time";
import { formatSeeds } from "./draft";
import table from "../ui/Table.module.css";
import css from "./ExperimentList.module.css";

const FIRST = 20; // rows at first; more on demand, so that a long list costs nothing
const isBusy = (list: AllExperiments | undefined) =>
  list?.experiments.some(({ num_done, num_runs }) => num_done < num_runs) ?? false;

/** All experiments, newest first, with what trains and what waits. */
export function ExperimentList() {
  const { data, error, isLoading } = useResource("experiments", api.experiments, (list) =>
    isBusy(list) ? 1500 : 5000,
  );
  const num = data?.experiments.length ?? 0;
  return (
    <section aria-labelledby="all-experiments">
      <h2 id="all-experiments" className={css.title}>
        Experiments {num > 0 && <span className="quiet">{formatCount(num)}</span>}
      </h2>
      {isLoading && <SkeletonRows num={4} label="Loading the experiments" />}
      {error && !data && (
        <LoadFault title="The experiments could not be loaded." error={error} resource="experiments" />
      )}
      {data && num === 0 && (
        <p className="quiet">
          None yet. What you start will be listed here, with its place in the queue and how far it is.
        </p>
      )}
      {data && num > 0 && <Table experiments={data.experiments} />}
    </section>
  );
}

function Table({ experiments }: { experiments: readonly ExperimentInfo[] }) {
  const [limit, setLimit] = useState(FIRST);
  return (
    <>
      <div className={table.scroll}>
        <table className={table.table}>
          <caption className="unseen">Experiments, newest first</caption>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col" className={table.right}>
                Runs
              </th>
              <th scope="col">State</th>
              <th scope="col" className={css.compares}>
                Compares
              </th>
              <th scope="col" className={table.right}>
                Created
              </th>
            </tr>
          </thead>
          <tbody>
            {experiments.slice(0, limit).map((one) => (
              <Row key={one.id} experiment={one} />
            ))}
          </tbody>
        </table>
      </div>
      {experiments.length > limit && (
        <p className={css.more}>
          <Button kind="quiet" onClick={() => setLimit(limit * 4)}>
            Show more
          </Button>
        </p>
      )}
    </>
  );
}

function Row({ experiment }: { experiment: ExperimentInfo }) {
  const { id, name, num_done: numDone, num_runs: numRuns, created_at: createdAt } = experiment;
  const content = contentOf(experiment, usePolicies());
  return (
    <tr>
      <th scope="row" className={css.name}>
        <Link to={`/experiments/${id}`} title={name}>
          {name}
        </Link>
      </th>
      <td className={table.right}>{numRuns}</td>
      <td>
        {numDone < numRuns ? (
          <span className={css.busy}>
            <Progress share={numDone / numRuns} label={`${numDone} of ${numRuns} runs done`} />
            {numDone > 0 && `${numDone} done, `}
            {stateOf(experiment)}
          </span>
        ) : (
          <span className="quiet">done</span>
        )}
      </td>
      <td className={`${table.fill ?? ""} ${css.compares ?? ""}`} title={content}>
        {content}
      </td>
      <td className={table.right}>
        <Time iso={createdAt} />
      </td>
    </tr>
  );
}

function stateOf({ num_by_state: num, queue_position: first }: ExperimentInfo): string {
  const numRunning = (num.starting ?? 0) + (num.running ?? 0) + (num.stopping ?? 0);
  const parts = [];
  if (numRunning > 0) parts.push(numRunning === 1 ? "running" : `${formatCount(numRunning)} running`);
  if (first !== null) parts.push(numRunning > 0 ? `${formatCount(num.queued ?? 0)} queued` : `queued, no. ${formatCount(first)}`);
  return parts.join(", ") || "waiting";
}

/** What varies in it: "policy: ssp (threshold 3) or predictive (...); seeds 1-3". */
export function contentOf({ spec }: Pick<ExperimentInfo, "spec">, policies: UnionField | null): string {
  const parts = Object.entries(spec.grid).map(([path, values]) => {
    if (path === "policy") return values.map((value) => describePolicy(value, policies)).join(" or ");
    const text = values.map(describeValue).join(" or ");
    return `${describePath(path).toLowerCase()} ${text}`;
  });
  if (spec.seeds.length > 1) parts.push(`seeds ${formatSeeds(spec.seeds)}`);
  return parts.join("; ") || "a single setting";
}
