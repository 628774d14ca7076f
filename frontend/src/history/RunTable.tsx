import type { ReactNode } from "react";
import type { Run } from "../api/types";
import { Link } from "../app/Link";
import { describeValue, splitTagged } from "../form/describe";
import { isData } from "../form/values";
import { Num } from "../ui/Num";
import { SimulatedMark } from "../ui/SimulatedMark";
import { StateMark } from "../ui/StateMark";
import { Time } from "../ui/Time";
import { nextSort } from "./view";
import { progressOf } from "./progress";
import table from "../ui/Table.module.css";
import css from "./RunTable.module.css";

interface Column {
  key: string;
  title: string;
  help?: string;
  sort?: string; // the server's name for its order
  isDownFirst?: boolean;
  isFigure?: boolean;
  cell: (run: Run) => ReactNode;
}

const COLUMNS: Column[] = [
  { key: "state", title: "State", sort: "state", cell: (run) => <StateCell run={run} /> },
  { key: "policy", title: "Policy", sort: "policy", cell: ({ spec }) => <PolicyText policy={spec.policy} /> },
  { key: "seed", title: "Seed", isFigure: true, cell: ({ spec }) => spec.seed },
  {
    key: "target",
    title: "Time to target",
    sort: "time_to_target_s",
    isFigure: true,
    cell: (run) => <TargetCell run={run} />,
  },
  {
    key: "accuracy",
    title: "Accuracy",
    sort: "final_accuracy",
    isDownFirst: true,
    isFigure: true,
    cell: ({ summary }) => <Num value={summary.final_accuracy ?? summary.test_accuracy} as="percent" />,
  },
  {
    key: "utilisation",
    title: "Utilisation",
    sort: "utilisation",
    isDownFirst: true,
    isFigure: true,
    cell: ({ summary }) => <Num value={summary.utilisation} as="percent" />,
  },
  {
    key: "wait",
    title: "Waiting",
    sort: "wait_share",
    isFigure: true,
    cell: ({ summary }) => <Num value={summary.wait_share} as="percent" />,
  },
  {
    key: "duration",
    title: "Duration",
    sort: "duration_s",
    isFigure: true,
    cell: ({ summary, started_at }) => <Num value={started_at ? summary.duration_s : null} as="seconds" />,
  },
  {
    key: "created",
    title: "Created",
    sort: "created_at",
    isDownFirst: true,
    isFigure: true,
    cell: (run) => <Time iso={run.created_at} />,
  },
];

/** What is the same in most lists stands last. */
const LATE_COLUMNS: Column[] = [
  { key: "task", title: "Task", cell: ({ spec }) => `${spec.task.model} on ${spec.task.dataset}` },
  { key: "workers", title: "Workers", isFigure: true, cell: ({ spec }) => spec.cluster.num_workers },
  {
    key: "coverage",
    title: "Forecasts held",
    help: "Iterations that ended inside their predicted 5–95% window; 90% is wanted",
    isFigure: true,
    cell: ({ summary }) => <Num value={summary.forecasts?.coverage} as="percent" />,
  },
];

interface Props {
  caption: string;
  runs: readonly Run[];
  selected: readonly string[];
  onSelect: (ids: string[]) => void;
  sort?: string;
  onSort?: (sort: string) => void; // absent: the order is fixed
  hasExperiment?: boolean; // name the experiment of each run
  nameOf?: (run: Run) => string; // what tells the runs apart, where their names do not
  without?: readonly string[]; // columns that say nothing here
  tagCell?: (run: Run) => ReactNode;
}

/** Runs as rows, with their figures; any number can be selected. */
export function RunTable({
  caption,
  runs,
  selected,
  onSelect,
  sort = "",
  onSort,
  hasExperiment = false,
  nameOf = ({ name }) => name,
  without = [],
  tagCell,
}: Props) {
  const chosen = new Set(selected);
  const numChosen = runs.filter(({ id }) => chosen.has(id)).length;
  const isAll = runs.length > 0 && numChosen === runs.length;
  const ids = runs.map(({ id }) => id);
  const toggleAll = () =>
    onSelect(isAll ? selected.filter((id) => !ids.includes(id)) : [...new Set([...selected, ...ids])]);
  const columns = COLUMNS.filter(({ key }) => !without.includes(key));
  const hasCoverage = runs.some(({ summary }) => summary.forecasts);
  const lateColumns = LATE_COLUMNS.filter(({ key }) => key !== "coverage" || hasCoverage);
  const heads = (some: readonly Column[]) =>
    some.map((column) => <Head key={column.key} column={column} sort={sort} onSort={onSort} />);
  return (
    <div className={table.scroll}>
      <table className={`${table.table ?? ""} ${css.runs ?? ""}`}>
        <caption className="unseen">{caption}</caption>
        <thead>
          <tr>
            <th scope="col" className={css.check}>
              <label>
                <input
                  type="checkbox"
                  aria-label="Select all runs of this page"
                  checked={isAll}
                  ref={(box) => {
                    if (box) box.indeterminate = numChosen > 0 && !isAll;
                  }}
                  onChange={toggleAll}
                />
              </label>
            </th>
            <Head
              column={{ key: "name", title: "Run", sort: "name", cell: () => null }}
              sort={sort}
              onSort={onSort}
              className={css.name}
            />
            {heads(columns)}
            {tagCell && <th scope="col">Tags</th>}
            {heads(lateColumns)}
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.id} aria-selected={chosen.has(run.id)} data-run={run.id}>
              <td className={css.check}>
                <label>
                  <input
                    type="checkbox"
                    aria-label={`Select ${run.name}, ${describeValue(run.spec.policy)}, seed ${run.spec.seed}`}
                    checked={chosen.has(run.id)}
                    onChange={() =>
                      onSelect(chosen.has(run.id) ? selected.filter((id) => id !== run.id) : [...selected, run.id])
                    }
                  />
                </label>
              </td>
              <th scope="row" className={css.name}>
                <Link to={`/runs/${run.id}`} data-row-link title={run.name}>
                  {nameOf(run)}
                </Link>
                {hasExperiment && run.experiment_name !== run.name && (
                  <span className="quiet"> {run.experiment_name}</span>
                )}
                {run.is_simulated && (
                  <>
                    {" "}
                    <SimulatedMark />
                  </>
                )}
              </th>
              <Cells columns={columns} run={run} />
              {tagCell && <td className={css.tags}>{tagCell(run)}</td>}
              <Cells columns={lateColumns} run={run} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cells({ columns, run }: { columns: readonly Column[]; run: Run }) {
  return columns.map(({ key, isFigure, cell }) => (
    <td key={key} className={isFigure ? table.right : undefined}>
      {cell(run)}
    </td>
  ));
}

interface HeadProps {
  column: Column;
  sort: string;
  onSort: Props["onSort"];
  className?: string | undefined;
}

function Head({ column, sort, onSort, className = "" }: HeadProps) {
  const { title, help, sort: key, isFigure, isDownFirst = false } = column;
  const place = `${isFigure ? (table.right ?? "") : ""} ${className}`;
  if (!key || !onSort) {
    return (
      <th scope="col" className={place} title={help}>
        {title}
      </th>
    );
  }
  const direction = sort === key ? "ascending" : sort === `-${key}` ? "descending" : undefined;
  return (
    <th scope="col" className={place} aria-sort={direction}>
      <button type="button" className={css.sort} onClick={() => onSort(nextSort(sort, key, isDownFirst))}>
        {title}
        <svg
          width="8"
          height="8"
          viewBox="0 0 8 8"
          aria-hidden="true"
          data-shown={direction !== undefined || undefined}
        >
          <path
            d={direction === "descending" ? "M1 2.5L4 6l3-3.5" : "M1 5.5L4 2l3 3.5"}
            fill="none"
            stroke="currentColor"
            strokeWidth="1.5"
          />
        </svg>
      </button>
    </th>
  );
}

function StateCell({ run }: { run: Run }) {
  const share = run.state === "running" ? progressOf(run) : null;
  return (
    <>
      <StateMark state={run.state} reason={run.reason} queuePosition={run.queue_position} />
      {share !== null && (
        <span className="quiet" title="Of the nearest end in time or iterations">
          {" "}
          {Math.floor(share * 100)}%
        </span>
      )}
    </>
  );
}

/** "ssp", and quietly its settings. */
export function PolicyText({ policy }: { policy: unknown }) {
  if (!isData(policy)) return describeValue(policy);
  const { head, rest } = splitTagged(policy);
  return (
    <span className={css.policy} title={describeValue(policy)}>
      {head} <span className="quiet">{rest}</span>
    </span>
  );
}

function TargetCell({ run }: { run: Run }) {
  const { time_to_target_s: timeS, outcome } = run.summary;
  if (timeS !== null) return <Num value={timeS} as="seconds" />;
  if (!run.spec.stop.target) return <span className="quiet">no target</span>;
  return outcome === "completed" || outcome === "stopped" ? (
    <span className="quiet">not reached</span>
  ) : (
    <Num value={null} />
  );
}
