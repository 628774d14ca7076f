import type { Account, AccountScore } from "../api/types";
import { formatPercent } from "../format";
import { Num } from "../ui/Num";
import table from "../ui/Table.module.css";
import { Bars } from "./Bars";
import { Panel } from "./Panel";
import { Scroll } from "./Scroll";

const WANTED = "A 5–95% window is right when 90% fall inside.";

/** Predicted against actual: windows of synchronisations, forecasts of each worker's iterations. */
export function PredictionsPanel({ account }: { account: Account }) {
  const { first_plans, last_plans, iterations, error_bars, num_warm_up } = account.predictions;
  const rows = [
    ["updates, as first predicted", first_plans],
    ["updates, as last predicted", last_plans],
    ["ends of iterations", iterations],
    ...account.workers.map(({ worker, forecasts }) => [`… of worker ${worker}`, forecasts] as const),
  ] as readonly (readonly [string, AccountScore | null])[];
  const judged = rows.flatMap(([name, score]) => (score ? [[name, score] as const] : []));
  if (judged.length === 0) {
    return (
      <Panel title="Predicted against actual">
        <p className="quiet">This policy has predicted nothing that has come to pass, or each worker is still within its first {num_warm_up} iterations, which are not judged.</p>
      </Panel>
    );
  }
  const middle = Math.floor(error_bars.counts.length / 2);
  const bars = error_bars.counts.map((count, place) => ({
    label: errorLabel((place - middle) * error_bars.width, place === 0 ? "≤ " : place === 2 * middle ? "≥ " : ""),
    value: count,
    text: String(count),
  }));
  return (
    <Panel title="Predicted against actual" basis={account.basis.predictions} note={`${WANTED} An error above 0 came later than predicted.`}>
      <Scroll label="How predictions held" isTall>
        <table className={table.table}>
          <caption className="unseen">How predictions held</caption>
          <thead>
            <tr>
              <th scope="col">Predicted</th>
              {["Number", "Inside", "Error", "Bias", "Window"].map((title) => (
                <th key={title} scope="col" className={table.right}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {judged.map(([name, score]) => (
              <ScoreRow key={name} name={name} score={score} />
            ))}
          </tbody>
        </table>
      </Scroll>
      {iterations && <Bars rows={bars} unit="error, share of the iteration" caption="Errors of the forecasts of iterations" />}
    </Panel>
  );
}

function errorLabel(share: number, prefix: string): string {
  return `${prefix}${share > 0 ? "+" : ""}${formatPercent(share)}`;
}

function ScoreRow({ name, score }: { name: string; score: AccountScore }) {
  const { num, coverage, bias_s, bias_share, mean_error_s, mean_error_share, mean_width_s } = score;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td className={table.right}>
        <Num value={num} as="count" />
      </td>
      <td className={table.right}>
        <Num value={coverage} as="percent" />
      </td>
      <td className={table.right} title={`${formatPercent(mean_error_share)} of its length, on average`}>
        <Num value={mean_error_s} as="seconds" />
      </td>
      <td className={table.right} title={`${formatPercent(bias_share)} of its length, on average`}>
        <Num value={bias_s} as="seconds" />
      </td>
      <td className={table.right}>
        <Num value={mean_width_s} as="seconds" />
      </td>
    </tr>
  );
}
