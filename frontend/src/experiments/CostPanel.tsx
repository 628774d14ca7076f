import { api } from "../api/client";
import { useResource } from "../api/resource";
import type { Estimate, FieldProblem } from "../api/types";
import { describePath } from "../form/describe";
import { usePolicies } from "../form/PolicyText";
import { formatCount, formatRoughSeconds, plural, UNKNOWN } from "../format";
import { Button } from "../ui/Button";
import { Notice } from "../ui/Notice";
import { Skeleton, SkeletonRows } from "../ui/Skeleton";
import { numRuns, parseSeeds, type Draft } from "./draft";
import { bySetting, nameSettings } from "./settings";
import type { Check } from "./useCheck";
import css from "./CostPanel.module.css";

interface Props {
  draft: Draft;
  check: Check;
  isStarting: boolean;
  startError: string;
  onStart: () => void;
  onShowProblem: (problem: FieldProblem) => void;
}

const MAX_LISTED = 8;

/** What the draft will cost, and the button that starts it. */
export function CostPanel({ draft, check, isStarting, startError, onStart, onShowProblem }: Props) {
  const { problems, estimate, isCurrent, error } = check;
  const num = numRuns(draft);
  return (
    <section className={css.panel} aria-labelledby="cost">
      <h2 id="cost" className="unseen">
        Cost
      </h2>
      <dl className={css.figures}>
        <div>
          <dt>Runs</dt>
          <dd>
            <span className={css.figure}>{num}</span> <span className="quiet">{sumOf(draft)}</span>
          </dd>
        </div>
        <div>
          <dt>
            Time <span className="quiet">predicted</span>
          </dt>
          <dd aria-live="polite" data-stale={!isCurrent || undefined}>
            {problems.length > 0 ? (
              <span className={css.figure}>{UNKNOWN}</span>
            ) : estimate ? (
              <span className={css.figure}>{rangeOf(estimate.total_low_s, estimate.total_high_s)}</span>
            ) : (
              <Skeleton width={50} />
            )}
          </dd>
        </div>
        {estimate?.total_iterations != null && problems.length === 0 && (
          <div>
            <dt>
              Iterations <span className="quiet">predicted, at most</span>
            </dt>
            <dd data-stale={!isCurrent || undefined}>
              <span className={css.figure}>{formatCount(estimate.total_iterations)}</span>{" "}
              <span className="quiet">of all workers</span>
            </dd>
          </div>
        )}
      </dl>
      {estimate && problems.length === 0 && <EstimateList draft={draft} estimate={estimate} isStale={!isCurrent} />}
      {!estimate && problems.length === 0 && error === "" && (
        <SkeletonRows num={Math.min(num, MAX_LISTED) + 1} label="Predicting the cost" />
      )}
      <QueueAhead />
      {problems.length > 0 && <ProblemList problems={problems} onShow={onShowProblem} />}
      {error !== "" && <Notice kind="fault">{error}</Notice>}
      {startError !== "" && <Notice kind="fault">{startError}</Notice>}
      <Button
        kind="primary"
        id="start-experiment"
        className={css.start ?? ""}
        isBusy={isStarting}
        disabled={problems.length > 0}
        onClick={onStart}
      >
        {isStarting ? "Starting" : `Start ${plural(num, "run")}`}
      </Button>
    </section>
  );
}

/** "from 2 policies × 3 seeds" */
function sumOf(draft: Draft): string {
  const factors = Object.entries(draft.grid).map(([path, values]) => {
    const name = describePath(path).toLowerCase();
    return path === "policy" ? plural(values.length, "policy", "policies") : `${values.length} values of ${name}`;
  });
  const numSeeds = parseSeeds(draft.seeds).length;
  if (numSeeds !== 1 || factors.length > 0) factors.push(plural(numSeeds, "seed"));
  return factors.length > 0 ? `from ${factors.join(" × ")}` : "";
}

export function rangeOf(lowS: number, highS: number | null): string {
  if (highS === null) return `${formatRoughSeconds(lowS)} or more`;
  const [low, high] = [formatRoughSeconds(lowS), formatRoughSeconds(highS)];
  return low === high ? low : `${low} to ${high}`;
}

function EstimateList({ draft, estimate, isStale }: { draft: Draft; estimate: Estimate; isStale: boolean }) {
  const policies = usePolicies();
  const { runs, concurrency, basis, total_high_s: totalHighS } = estimate;
  const settings = bySetting(runs, nameSettings(draft.grid, policies));
  const rest = settings.length - MAX_LISTED;
  return (
    <div data-stale={isStale || undefined} className={css.estimate}>
      <table>
        <caption>Predicted time of each run</caption>
        <tbody>
          {settings.slice(0, MAX_LISTED).map((one, index) => (
            <tr key={index} title={one.basis}>
              <th scope="row">{one.name}</th>
              <td>{rangeOf(one.low_s, one.high_s)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rest > 0 && <p className="quiet">and {plural(rest, "more setting")}</p>}
      <p className="quiet">
        {runs.length > 1 && (concurrency === 1 ? "One run after the other. " : `${concurrency} runs at a time. `)}
        {basis.charAt(0).toUpperCase() + basis.slice(1).replace(/\.?$/, ".")}
        {totalHighS === null && " Nothing bounds a run that misses its goal: give it an end in seconds or iterations."}
      </p>
    </div>
  );
}

function QueueAhead() {
  const { data } = useResource("queue", api.queue);
  const num = (data?.running.length ?? 0) + (data?.waiting.length ?? 0);
  if (num === 0) return null;
  return (
    <p className="quiet">
      {plural(num, "run is", "runs are")} ahead of it in the queue; the time counts from its own start.
    </p>
  );
}

function ProblemList({
  problems,
  onShow,
}: {
  problems: readonly FieldProblem[];
  onShow: (problem: FieldProblem) => void;
}) {
  return (
    <div role="alert" className={css.problems}>
      <p>{plural(problems.length, "setting needs", "settings need")} another value:</p>
      <ul>
        {problems.map((problem, index) => (
          <li key={index}>
            <button type="button" onClick={() => onShow(problem)}>
              <b>{describePath(problem.field)}</b> {problem.wish}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
