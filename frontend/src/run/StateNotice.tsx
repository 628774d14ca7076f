import type { Run } from "../api/types";
import { Link } from "../app/Link";
import { changeQuery, navigate, useLocation } from "../app/router";
import { describeValue } from "../form/describe";
import { formatSeconds, plural } from "../format";
import { Button } from "../ui/Button";
import { Notice } from "../ui/Notice";
import { TABLES_ID } from "./address";
import { connectionSentence, lossSentence, wayOn } from "./sentences";
import { useNews, usePageSession } from "./session";
import css from "./StateNotice.module.css";

/** What keeps a run, or this page, from going on, and what to do about it. */
export function StateNotice({ run }: { run: Run }) {
  const session = usePageSession();
  useNews(session);
  const { status } = session.store;
  if (status.name === "denied") {
    return <Notice kind="fault" title="The server wants its token: ">open the link that `foresync serve` has printed.</Notice>;
  }
  return run.state === "failed" ? <Failure run={run} /> : null;
}

/** When and why the run failed, and the ways on. */
function Failure({ run }: { run: Run }) {
  const { path, query } = useLocation();
  const { status, model } = usePageSession().store;
  const readLog = () => {
    navigate(path + changeQuery(query, { tab: "log" }), { replace: true });
    document.getElementById(TABLES_ID)?.scrollIntoView();
  };
  return (
    <div className={css.failure}>
      <Notice kind="fault" title={`The run failed: ${run.reason ?? (model.closing || "no closing sentence was recorded")}.`}>
        <p className="quiet">
          {model.finishedS !== null && `It ended at ${formatSeconds(model.finishedS)}. `}What was recorded stays. {wayOn(run, model, status.name === "ended")}
        </p>
      </Notice>
      <Button onClick={readLog}>Read the log</Button>
    </div>
  );
}

/** Say in plain words what the run is about now. One line that is always there, so that nothing jumps when that changes. */
export function StateLine({ run }: { run: Run }) {
  const session = usePageSession();
  useNews(session);
  const { status, model } = session.store;
  const loss = run.state === "running" ? lossSentence(model) : "";
  const line = connectionSentence(status, model) || loss || lineOf(run, model.closing);
  return (
    <p className={css.line} title={line}>
      {line}
    </p>
  );
}

function lineOf({ state, reason, queue_position, spec, is_simulated: isSimulated }: Run, closing: string): string {
  const { task, cluster, speed } = spec;
  const workers = plural(cluster.num_workers, "worker");
  switch (state) {
    case "queued":
      return `${queue_position === null ? "In the queue" : `Number ${queue_position} in the queue`}: it starts by itself when the runs before it have ended.`;
    case "starting":
      if (isSimulated) return `Starting one process that trains ${workers} in virtual time.`;
      return `Starting a server, an evaluator and ${workers}; the first iterations take a few seconds.`;
    case "stopping":
      if (isSimulated) return "Stopping: the final weights are evaluated.";
      return "Stopping: the workers finish their iteration, then a checkpoint is written.";
    case "stopped":
      return reason ?? closing; // which begins with that word
    case "completed":
      return `Completed: ${reason ?? closing}`;
    case "failed":
    case "running":
      return `${task.model} on ${task.dataset}, ${workers}${"factors" in speed ? `, slowness ${describeValue(speed.factors)}` : ""}`;
  }
}

/** There is no such run, or it may not be seen. */
export function MissingRun({ sentence = "" }: { sentence?: string }) {
  return (
    <div className={css.missing}>
      <h1>{sentence ? "This run cannot be shown" : "No such run"}</h1>
      <p>
        {sentence || "It may have been deleted, or the address is wrong."} All runs stand in the <Link to="/runs">History</Link>.
      </p>
    </div>
  );
}
