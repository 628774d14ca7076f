import type { Run } from "../api/types";
import { describeValue } from "../form/describe";
import { splitPolicy } from "../form/policy";
import { usePolicies } from "../form/PolicyText";
import type { UnionField } from "../form/schema";
import { formatDelta, formatPercent, formatRatio, formatSeconds, plural } from "../format";
import { Num } from "../ui/Num";
import { rowsOf, type Answers, type Figures, type Row } from "./answers";
import table from "../ui/Table.module.css";
import css from "./whatif.module.css";

interface Props {
  run: Run;
  answers: Answers;
  selectedKey: string | null;
  onSelect: (key: string) => void;
}

/** The recorded run among its predictions, the shortest first. */
export function PredictionTable({ run, answers, selectedKey, onSelect }: Props) {
  const rows = rowsOf(answers);
  const longestS = Math.max(0, ...rows.map(({ figures }) => figures?.makespan_s ?? 0));
  return (
    // A region that scrolls must be reachable by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={table.scroll} tabIndex={0} role="group" aria-label="Predictions, as a table">
      <table className={`${table.table ?? ""} ${css.table ?? ""}`}>
        <caption className="unseen">The recorded run and what is predicted under other policies, the shortest first</caption>
        <thead>
          <tr>
            <th scope="col">Policy</th>
            <th scope="col" className={table.right} title="Start of the first iteration to the last push, without pauses, for the same number of iterations">
              Makespan
            </th>
            <th scope="col" className={table.right} title="Recorded makespan over the predicted one">
              Speed-up
            </th>
            <th scope="col" className={table.right}>
              Utilisation
            </th>
            <th scope="col" className={table.right}>
              Waiting
            </th>
            <th scope="col" className={table.right} title="Mean staleness of applied pushes, in updates; 95% of them are not staler than the second number">
              Staleness
            </th>
            <th scope="col" className={table.right} title="Largest lead over the slowest worker, in iterations">
              Lead
            </th>
            <th scope="col" className={table.right} title="Recorded bytes of a push, times the predicted pushes">
              Bytes
            </th>
            <th scope="col" className={table.right} title="Iterations for which no time was recorded: recorded times are used once more">
              Times used again
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <PredictionRow key={row.key} run={run} row={row} label={answers.recorded?.label ?? "measured"} longestS={longestS} isSelected={row.key === selectedKey} onSelect={() => onSelect(row.key)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  run: Run;
  row: Row;
  label: "measured" | "simulated";
  longestS: number;
  isSelected: boolean;
  onSelect: () => void;
}

function PredictionRow({ run, row, label, longestS, isSelected, onSelect }: RowProps) {
  const { figures, predicted, question } = row;
  const id = `what-if-row-${row.index}`;
  const { head, rest } = nameOf(row, run, usePolicies());
  return (
    <tr aria-selected={isSelected || undefined} data-recorded={predicted ? undefined : true} onClick={predicted?.figures ? onSelect : undefined}>
      <th scope="row" className={css.name}>
        <span className={css.nameLine}>
          {predicted?.figures ? (
            <input type="radio" name="what-if" id={id} checked={isSelected} onChange={onSelect} />
          ) : (
            <span className={css.noRadio} />
          )}
          <label htmlFor={predicted?.figures ? id : undefined} title={describeValue(question.policy)}>
            {head} <span className="quiet">{rest}</span>
          </label>
          <span className={css.label} data-label={predicted ? "predicted" : label}>
            {predicted ? (question.is_recorded ? "predicted again" : "predicted") : label}
          </span>
        </span>
        {figures && <Bar figures={figures} longestS={longestS} />}
        {predicted?.problem && <span className={css.problem}>{predicted.problem}</span>}
        {predicted?.notes.filter((note) => !note.includes("use recorded times once more")).map((note) => (
          <span key={note} className={css.note}>
            {note}
          </span>
        ))}
      </th>
      <td className={table.right}>{figures && <Num value={figures.makespan_s} as="seconds" />}</td>
      <td className={table.right}>
        <Speedup row={row} />
      </td>
      <td className={table.right}>{figures && <Num value={figures.utilisation} as="percent" />}</td>
      <td className={table.right}>{figures && <Num value={figures.wait_share} as="percent" />}</td>
      <td className={table.right}>
        {figures && (
          <>
            <Num value={figures.mean_staleness} /> <span className="quiet">/ {figures.p95_staleness ?? "–"}</span>
          </>
        )}
      </td>
      <td className={table.right}>{figures && <Num value={figures.max_lead} as="count" />}</td>
      <td className={table.right}>{figures && <Num value={figures.bytes} as="bytes" />}</td>
      <td className={table.right}>{predicted && figures && <Again row={row} />}</td>
    </tr>
  );
}

function nameOf({ question }: Row, run: Run, policies: UnionField | null): { head: string; rest: string } {
  const { head, rest } = splitPolicy(question.policy, policies);
  const isOther = describeValue(question.forecaster) !== describeValue(run.spec_in_force.forecaster);
  const forecaster = isOther ? `forecast by ${describeValue(question.forecaster)}` : "";
  return { head, rest: [rest, forecaster].filter(Boolean).join(", ") };
}

function Speedup({ row: { predicted, question } }: { row: Row }) {
  if (!predicted) return <span className="quiet">1×</span>;
  if (predicted.speedup === null) return null;
  if (question.is_recorded) {
    const off = 1 / predicted.speedup - 1;
    return (
      <span className="quiet" title="How far the prediction of the recorded policy is from what was recorded: what the model leaves out">
        off by {formatDelta(off, formatPercent)}
      </span>
    );
  }
  return <span title={`${predicted.speedup}`}>{formatRatio(predicted.speedup)}</span>;
}

function Again({ row: { predicted, figures } }: { row: Row }) {
  if (!predicted || !figures) return null;
  const share = predicted.num_extrapolated / Math.max(1, figures.num_iterations);
  return (
    <span title={`${plural(predicted.num_extrapolated, "iteration")} of ${figures.num_iterations}`}>
      {predicted.num_extrapolated === 0 ? <span className="quiet">none</span> : formatPercent(share)}
    </span>
  );
}

/** The makespan as a length, divided by what the workers do in it. */
function Bar({ figures, longestS }: { figures: Figures; longestS: number }) {
  const compute = figures.utilisation ?? 0;
  const wait = figures.wait_share ?? 0;
  const transfer = Math.max(0, Math.min(1 - compute - wait, shareOfTransfer(figures)));
  const parts = [
    { state: "compute", share: compute },
    { state: "transfer", share: transfer },
    { state: "wait", share: wait },
  ];
  const text = parts.map(({ state, share }) => `${state} ${formatPercent(share)}`).join(", ");
  return (
    <span className={css.track} title={`${formatSeconds(figures.makespan_s)}: ${text}`} aria-hidden="true">
      <span className={css.bar} style={{ width: `${longestS > 0 ? (100 * figures.makespan_s) / longestS : 0}%` }}>
        {parts.map(({ state, share }) => (
          <span key={state} data-state={state} style={{ width: `${100 * share}%` }} />
        ))}
      </span>
    </span>
  );
}

/** The share of transfer, from the seconds and the share of waiting, or the rest where nobody waited. */
function shareOfTransfer({ transfer_s: transferS, wait_s: waitS, wait_share: waitShare, utilisation }: Figures): number {
  if (waitShare !== null && waitShare > 0) return (transferS / waitS) * waitShare;
  return transferS > 0 ? 1 - (utilisation ?? 0) : 0;
}
