import type { ReactNode } from "react";
import { formatDelta, formatNumber, formatPercent, formatRatio } from "../format";
import { describeValue } from "../form/describe";
import { PolicyText } from "../form/PolicyText";
import { Num } from "../ui/Num";
import { StateMark } from "../ui/StateMark";
import { Time } from "../ui/Time";
import type { RunRow } from "./types";
import css from "./RunTable.module.css";

export interface Column {
  key: string;
  title: string;
  help?: string;
  sort?: string; // the server's name for its order
  isDownFirst?: boolean;
  isFigure?: boolean;
  isExtra?: boolean; // shown by choice only
  ofBaseline?: boolean; // a change against the baseline
  cell: (row: RunRow, baseline: RunRow | null) => ReactNode;
}

const percent = (value: number | null) => <Num value={value} as="percent" />;
const seconds = (value: number | null) => <Num value={value} as="seconds" />;

/** In the order in which they stand; the run's name and its tags have places of their own. */
export const COLUMNS: readonly Column[] = [
  { key: "state", title: "State", sort: "state", cell: (row) => <StateCell row={row} /> },
  { key: "policy", title: "Policy", sort: "policy", cell: (row) => <PolicyCell row={row} /> },
  { key: "seed", title: "Seed", sort: "seed", isFigure: true, cell: ({ seed }) => seed },
  {
    key: "target",
    title: "Time to target",
    sort: "time_to_target_s",
    isFigure: true,
    cell: (row) => <TargetCell row={row} />,
  },
  {
    key: "target_change",
    title: "against baseline",
    help: "Time to the target as a multiple of the baseline's; below 1 is faster",
    sort: "time_to_target_s",
    isFigure: true,
    ofBaseline: true,
    cell: (row, baseline) => <Change row={row} baseline={baseline} of="time_to_target_s" isRatio />,
  },
  {
    key: "accuracy",
    title: "Accuracy",
    sort: "final_accuracy",
    isDownFirst: true,
    isFigure: true,
    cell: (row) => percent(row.final_accuracy ?? row.test_accuracy),
  },
  {
    key: "accuracy_change",
    title: "against baseline",
    help: "Final accuracy less the baseline's, in percentage points",
    sort: "final_accuracy",
    isDownFirst: true,
    isFigure: true,
    ofBaseline: true,
    cell: (row, baseline) => <Change row={row} baseline={baseline} of="final_accuracy" />,
  },
  {
    key: "utilisation",
    title: "Utilisation",
    help: "Compute time over wall time",
    sort: "utilisation",
    isDownFirst: true,
    isFigure: true,
    cell: (row) => percent(row.utilisation),
  },
  {
    key: "utilisation_change",
    title: "against baseline",
    help: "Utilisation less the baseline's, in percentage points",
    sort: "utilisation",
    isDownFirst: true,
    isFigure: true,
    ofBaseline: true,
    cell: (row, baseline) => <Change row={row} baseline={baseline} of="utilisation" />,
  },
  { key: "wait", title: "Waiting", sort: "wait_share", isFigure: true, cell: (row) => percent(row.wait_share) },
  {
    key: "wait_change",
    title: "against baseline",
    help: "Waiting share less the baseline's, in percentage points",
    sort: "wait_share",
    isFigure: true,
    ofBaseline: true,
    cell: (row, baseline) => <Change row={row} baseline={baseline} of="wait_share" />,
  },
  {
    key: "duration",
    title: "Duration",
    sort: "duration_s",
    isFigure: true,
    cell: ({ duration_s, started_at }) => seconds(started_at === null ? null : duration_s),
  },
  {
    key: "created",
    title: "Created",
    sort: "created_at",
    isDownFirst: true,
    isFigure: true,
    cell: (row) => <Time iso={row.created_at} />,
  },
];

/** What is the same in most lists stands last. */
export const LATE_COLUMNS: readonly Column[] = [
  { key: "model", title: "Model", sort: "model", cell: ({ model }) => model },
  { key: "dataset", title: "Data set", sort: "dataset", cell: ({ dataset }) => dataset },
  { key: "workers", title: "Workers", sort: "num_workers", isFigure: true, cell: ({ num_workers }) => num_workers },
  {
    key: "coverage",
    title: "Forecasts held",
    help: "Iterations that ended inside their predicted 5–95% window; 90% is wanted",
    sort: "forecast_coverage",
    isFigure: true,
    cell: (row) => percent(row.forecast_coverage),
  },
  {
    key: "experiment",
    title: "Experiment",
    sort: "experiment_name",
    isExtra: true,
    cell: (row) => row.experiment_name,
  },
  {
    key: "best_accuracy",
    title: "Best accuracy",
    sort: "best_accuracy",
    isDownFirst: true,
    isFigure: true,
    isExtra: true,
    cell: (row) => percent(row.best_accuracy),
  },
  {
    key: "loss",
    title: "Final loss",
    sort: "final_loss",
    isFigure: true,
    isExtra: true,
    cell: (row) => <Num value={row.final_loss} />,
  },
  {
    key: "rate",
    title: "Iterations/s",
    sort: "iterations_per_s",
    isDownFirst: true,
    isFigure: true,
    isExtra: true,
    cell: (row) => <Num value={row.iterations_per_s} />,
  },
  {
    key: "staleness",
    title: "Staleness",
    help: "Mean of the updates between a worker's pull and its push",
    sort: "mean_staleness",
    isFigure: true,
    isExtra: true,
    cell: (row) => <Num value={row.mean_staleness} />,
  },
  {
    key: "traffic",
    title: "Traffic",
    help: "Bytes sent and received by the workers",
    sort: "traffic_bytes",
    isFigure: true,
    isExtra: true,
    cell: (row) => <Num value={row.traffic_bytes} as="bytes" />,
  },
  {
    key: "started",
    title: "Started",
    sort: "started_at",
    isDownFirst: true,
    isFigure: true,
    isExtra: true,
    cell: (row) => <Time iso={row.started_at} />,
  },
  {
    key: "finished",
    title: "Finished",
    sort: "finished_at",
    isDownFirst: true,
    isFigure: true,
    isExtra: true,
    cell: (row) => <Time iso={row.finished_at} />,
  },
  {
    key: "note",
    title: "Notes",
    isExtra: true,
    cell: ({ note }) => (
      <span className={css.note} title={note}>
        {note}
      </span>
    ),
  },
];

export const ALL_COLUMNS: readonly Column[] = [...COLUMNS, ...LATE_COLUMNS];

/** The keys that are shown where nothing was chosen; with a baseline its main change beside the figure. */
export function usualColumns(hasBaseline: boolean): string[] {
  const isUsual = ({ key, isExtra, ofBaseline }: Column) =>
    !isExtra && (!ofBaseline || (hasBaseline && (key === "target_change" || key === "utilisation_change")));
  return [...ALL_COLUMNS.filter(isUsual).map(({ key }) => key), "tags"];
}

function StateCell({ row }: { row: RunRow }) {
  return (
    <>
      <StateMark state={row.state} reason={row.reason} queuePosition={row.queue_position} />
      {row.progress !== null && (
        <span className="quiet" title="Of the nearest end in time or iterations">
          {" "}
          {Math.floor(row.progress * 100)}%
        </span>
      )}
    </>
  );
}

/** "ssp threshold 5", and that it was changed on the way. */
function PolicyCell({ row: { policy, policy_at_start: atStart, is_retuned: isRetuned } }: { row: RunRow }) {
  return (
    <span className={css.policy}>
      <PolicyText policy={policy} />
      {isRetuned && (
        <span className="quiet" title={`Changed while it trained; it began with ${describeValue(atStart)}`}>
          {" "}
          retuned
        </span>
      )}
    </span>
  );
}

function TargetCell({ row }: { row: RunRow }) {
  if (row.time_to_target_s !== null) return seconds(row.time_to_target_s);
  if (!row.target) return <span className="quiet">no target</span>;
  const isJudged = row.state === "completed" || (row.state === "stopped" && row.duration_s !== null); // it has trained
  return isJudged ? (
    <span className="quiet">not reached</span>
  ) : (
    <Num value={null} />
  );
}

type Figure = "time_to_target_s" | "final_accuracy" | "utilisation" | "wait_share";

interface ChangeProps {
  row: RunRow;
  baseline: RunRow | null;
  of: Figure;
  isRatio?: boolean;
}

/** A figure against that of the baseline; where the two tasks differ, why there is none. */
export function Change({ row, baseline, of, isRatio = false }: ChangeProps) {
  if (!baseline) return <Num value={null} />;
  if (baseline.id === row.id) return <span className="quiet">baseline</span>;
  const obstacle = whyNot(row, baseline, of);
  const [own, other] = [row[of], baseline[of]];
  if (obstacle !== "" || own === null || other === null || (isRatio && other === 0)) {
    return (
      <span className="quiet" title={obstacle || "One of the two has no such figure."}>
        –
      </span>
    );
  }
  const kinds = row.is_simulated === baseline.is_simulated ? "" : "; one is simulated, the other was measured";
  const write = isRatio ? (value: number) => `${formatNumber(value)} s` : formatPercent;
  return (
    <span title={`${write(own)} against ${write(other)} of the baseline${kinds}`}>
      {isRatio ? formatRatio(own / other) : formatDelta((own - other) * 100)}
      {!isRatio && <span className="unit">pt</span>}
      {kinds !== "" && <span className="quiet"> *</span>}
    </span>
  );
}

function whyNot(row: RunRow, baseline: RunRow, of: Figure): string {
  if (of !== "time_to_target_s" && of !== "final_accuracy") return "";
  if (row.dataset !== baseline.dataset || row.model !== baseline.model)
    return "It learns another task than the baseline.";
  const isSame = row.target?.metric === baseline.target?.metric && row.target?.value === baseline.target?.value;
  return of === "time_to_target_s" && !isSame ? "It has another target than the baseline." : "";
}
