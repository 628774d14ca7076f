import { useRef, useState } from "react";
import type { QueueOutlook, RunOutlook } from "../api/control";
import { Link } from "../app/Link";
import { PolicyText } from "../form/PolicyText";
import { formatCount, formatRoughSeconds, plural } from "../format";
import { Button } from "../ui/Button";
import { CloseButton } from "../ui/IconButton";
import { Notice } from "../ui/Notice";
import { StateMark } from "../ui/StateMark";
import { Handle, useDrag } from "./drag";
import { useQueue, type QueueState } from "./useQueue";
import table from "../ui/Table.module.css";
import css from "./QueueSection.module.css";

const MAX_CONCURRENCY = 64;
const FIRST = 8; // waiting runs that are listed at first

/** What trains, what waits and in which order, and when each is expected to start. */
export function QueueSection() {
  const queue = useQueue();
  const { outlook } = queue;
  return (
    <section id="queue" tabIndex={-1} aria-labelledby="queue-title" className={css.section}>
      <div className={css.head}>
        <h2 id="queue-title">
          Queue{" "}
          {outlook && outlook.runs.length > 0 && (
            <span className="quiet">{formatCount(outlook.runs.length + outlook.num_left_out)}</span>
          )}
        </h2>
        {outlook && <Controls queue={queue} outlook={outlook} />}
      </div>
      {queue.error !== "" && !outlook && <Notice kind="fault">{queue.error}</Notice>}
      {outlook && outlook.runs.length === 0 && (
        <p className="quiet">
          Nothing trains and nothing waits
          {outlook.is_paused ? "; what is started will wait until the queue goes on" : ""}.
        </p>
      )}
      {outlook && outlook.runs.length > 0 && <QueueTable queue={queue} outlook={outlook} />}
      <p className="unseen" role="status">
        {queue.said}
      </p>
    </section>
  );
}

function Controls({ queue, outlook }: { queue: QueueState; outlook: QueueOutlook }) {
  const { concurrency, is_paused: isPaused } = outlook;
  const set = (next: number) => queue.change({ concurrency: next });
  return (
    <div className={css.controls}>
      {isPaused && <b className={css.paused}>Paused: nothing new starts.</b>}
      <div role="group" aria-label="Runs that train at once" className={css.stepper}>
        <span>At once</span>
        <button
          type="button"
          aria-label="One run fewer at once"
          disabled={concurrency <= 1}
          onClick={() => set(concurrency - 1)}
        >
          −
        </button>
        <output aria-live="polite">{concurrency}</output>
        <button
          type="button"
          aria-label="One run more at once"
          disabled={concurrency >= MAX_CONCURRENCY}
          onClick={() => set(concurrency + 1)}
        >
          +
        </button>
      </div>
      <Button onClick={() => queue.change({ is_paused: !isPaused })}>{isPaused ? "Let it go on" : "Pause"}</Button>
    </div>
  );
}

function QueueTable({ queue, outlook }: { queue: QueueState; outlook: QueueOutlook }) {
  const [isWhole, setWhole] = useState(false);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const present = new Set(queue.order.filter((id) => chosen.has(id)));
  const body = useRef<HTMLTableSectionElement>(null);
  const drag = useDrag(body, queue.order, present, queue.moveInto);
  const running = outlook.runs.filter((run) => run.is_running);
  const all = outlook.runs.filter((run) => !run.is_running);
  const waiting = isWhole ? all : all.slice(0, FIRST);
  const toggle = (id: string) => {
    const next = new Set(present);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  return (
    <>
      <div className={table.scroll}>
        <table className={table.table}>
          <caption className="unseen">What trains and what waits, next first</caption>
          <thead>
            <tr>
              <th scope="col" className={css.tool}>
                <span className="unseen">Choose and move</span>
              </th>
              <th scope="col">Run</th>
              <th scope="col" className={css.wide}>
                Policy
              </th>
              <th scope="col" title={outlook.basis}>
                Starts <span className="quiet">predicted</span>
              </th>
              <th scope="col" title={outlook.basis} className={css.wide}>
                Ends <span className="quiet">predicted</span>
              </th>
              <th scope="col">
                <span className="unseen">Take out</span>
              </th>
            </tr>
          </thead>
          <tbody ref={body} data-dragging={drag.gap === null ? undefined : true}>
            {running.map((run) => (
              <Row key={run.run_id} run={run} />
            ))}
            {waiting.map((run, place) => (
              <Row
                key={run.run_id}
                run={run}
                edge={
                  drag.gap === place ? "above" : drag.gap === place + 1 && place + 1 === waiting.length ? "below" : ""
                }
                isChosen={present.has(run.run_id)}
                onToggle={() => toggle(run.run_id)}
                onCancel={() => queue.cancel(new Set([run.run_id]))}
                handle={
                  <Handle
                    name={run.name}
                    place={place}
                    num={all.length}
                    onPoint={(event) => drag.begin(event, run.run_id)}
                    onMove={(to) => queue.moveBy(present.has(run.run_id) ? present : new Set([run.run_id]), to)}
                    onCancel={() => queue.cancel(present.has(run.run_id) ? present : new Set([run.run_id]))}
                  />
                }
              />
            ))}
          </tbody>
        </table>
      </div>
      <div className={css.foot}>
        {present.size > 0 && (
          <>
            <span>{plural(present.size, "run")} chosen</span>
            <Button onClick={() => queue.moveBy(present, "first")}>To the front</Button>
            <Button onClick={() => queue.moveBy(present, "last")}>To the end</Button>
            <Button onClick={() => queue.cancel(present)}>Take out of the queue</Button>
          </>
        )}
        {present.size === 0 && waiting.length > 1 && (
          <p className="quiet">
            Drag a run by its handle, or move it with the arrow keys, Home and End; Delete takes it out.
          </p>
        )}
        {all.length > FIRST && (
          <Button kind="quiet" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
            {isWhole ? "Show the first ones only" : `Show all ${all.length} that wait`}
          </Button>
        )}
        {isWhole && outlook.num_left_out > 0 && (
          <p className="quiet">and {plural(outlook.num_left_out, "more run")} behind them</p>
        )}
      </div>
    </>
  );
}

interface RowProps {
  run: RunOutlook;
  edge?: "" | "above" | "below";
  isChosen?: boolean;
  onToggle?: () => void;
  onCancel?: () => void;
  handle?: React.ReactNode;
}

function Row({ run, edge = "", isChosen = false, onToggle, onCancel, handle }: RowProps) {
  return (
    <tr
      data-waiting={handle ? run.run_id : undefined}
      data-edge={edge || undefined}
      aria-selected={isChosen || undefined}
    >
      <td className={css.tool}>
        {handle && (
          <span className={css.tools}>
            {handle}
            <input type="checkbox" checked={isChosen} aria-label={`Choose ${run.name}`} onChange={onToggle} />
          </span>
        )}
      </td>
      <th scope="row" className={css.name}>
        <span className={css.nameLine}>
          <Link to={`/runs/${run.run_id}`} title={run.name}>
            {run.name}
          </Link>
          <span className="quiet">seed {run.seed}</span>
          {run.experiment_name !== run.name && (
            <span className="quiet">
              of <Link to={`/experiments/${run.experiment_id}`}>{run.experiment_name}</Link>
            </span>
          )}
        </span>
      </th>
      <td className={`${css.wide ?? ""} ${table.fill ?? ""}`}>
        <PolicyText policy={run.policy} />
      </td>
      <td>{run.is_running ? <StateMark state="running" /> : inTime(run.starts_low_s, run.starts_high_s)}</td>
      <td title={run.basis} className={css.wide}>
        {inTime(run.ends_low_s, run.ends_high_s)}
      </td>
      <td className={table.right}>
        {onCancel && (
          <CloseButton aria-label={`Take ${run.name} out of the queue`} title="Take it out of the queue" onClick={onCancel} />
        )}
      </td>
    </tr>
  );
}

/** "now", "in 10 to 40 s", "in 2 min or more". */
export function inTime(lowS: number, highS: number | null | undefined): string {
  if (highS === 0) return "now";
  if (highS === null || highS === undefined) return `in ${formatRoughSeconds(lowS)} or more`;
  const [low, high] = [formatRoughSeconds(lowS), formatRoughSeconds(highS)];
  if (lowS < 1) return `within ${high}`;
  return low === high ? `in ${low}` : `in ${low} to ${high}`;
}
