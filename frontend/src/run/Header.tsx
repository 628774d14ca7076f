import { useState } from "react";
import { api, ApiError } from "../api/client";
import { invalidate, putResource } from "../api/resource";
import type { Run } from "../api/types";
import { ExportMenu } from "../export/ExportMenu";
import { formatCount, formatNumber, formatPercent, formatSeconds } from "../format";
import { progressOf } from "../history/progress";
import { Button } from "../ui/Button";
import { Notice } from "../ui/Notice";
import { Num } from "../ui/Num";
import { Progress } from "../ui/Progress";
import { SimulatedMark } from "../ui/SimulatedMark";
import { StateMark } from "../ui/StateMark";
import { LiveBadge } from "./LiveBadge";
import { PolicyLine } from "./PolicyLine";
import { mayGoOn } from "./sentences";
import { StateLine } from "./StateNotice";
import { useNews, usePageSession } from "./session";
import css from "./Header.module.css";

/** What the run is, how far it has come, and what can be done with it. */
export function Header({ run, onClone }: { run: Run; onClone: () => void }) {
  return (
    <header className={css.header}>
      <div className={css.what}>
        <h1 className={css.name} title={run.name}>
          {run.name}
        </h1>
        <StateMark state={run.state} reason={run.reason} queuePosition={run.queue_position} />
        {run.is_simulated && <SimulatedMark />}
        <PolicyLine run={run} />
      </div>
      <Actions run={run} onClone={onClone} />
      <div className={css.facts}>
        <StateLine run={run} />
        <Target run={run} />
        <Elapsed run={run} />
        <LiveBadge />
      </div>
    </header>
  );
}

function Elapsed({ run }: { run: Run }) {
  const session = usePageSession();
  useNews(session);
  const { model } = session.store;
  if (model.numEvents === 0) return <span className={css.elapsed} />;
  const elapsedS = session.store.nowS();
  const { seconds, iterations } = run.spec.stop;
  const share = model.finishedS === null ? progressOf(run) : null;
  const end = seconds !== null ? ` of at most ${formatSeconds(seconds)}` : iterations !== null ? `, until iteration ${formatCount(iterations)}` : "";
  return (
    <span className={css.elapsed} title={`${elapsedS.toFixed(3)} s${run.is_simulated ? " of virtual time" : ""}${end}`}>
      <Num value={elapsedS} as="seconds" />
      {run.is_simulated && <span className="quiet">virtual</span>}
      {share !== null && <Progress share={share} label="Nearest end" />}
    </span>
  );
}

function Target({ run }: { run: Run }) {
  const session = usePageSession();
  useNews(session);
  const { target } = run.spec.stop;
  if (!target) return null;
  const { model } = session.store;
  const isAccuracy = target.metric === "test_accuracy";
  const write = isAccuracy ? formatPercent : formatNumber;
  const goal = `${isAccuracy ? "accuracy" : "loss"} ${write(target.value)}`;
  const reachedS = model.targetS ?? run.summary.time_to_target_s;
  if (reachedS !== null) {
    return (
      <span className={css.target}>
        {goal} <b>reached at {formatSeconds(reachedS)}</b>
      </span>
    );
  }
  const last = model.evaluations.length - 1;
  const now = last < 0 ? null : model.evaluations.get(last, isAccuracy ? "accuracy" : "loss");
  return (
    <span className={css.target} title={`target: ${goal}`}>
      {isAccuracy ? "accuracy" : "loss"} {now === null ? "" : write(now)} <span className="quiet">{now === null ? "target" : "of"} {write(target.value)}</span>
    </span>
  );
}

type Command = "stop" | "resume";

function Actions({ run, onClone }: { run: Run; onClone: () => void }) {
  const session = usePageSession();
  const [busy, setBusy] = useState<Command | null>(null);
  const [refusal, setRefusal] = useState("");
  const send = async (command: Command) => {
    setBusy(command);
    setRefusal("");
    const { run: before } = session.store;
    try {
      const next = await (command === "stop" ? api.stopRun(run.id) : api.resumeRun(run.id));
      if (session.store.run === before) session.store.setRun(next); // else the stream has told something newer
      putResource<Run>(`run:${run.id}`, () => next);
      invalidate("runs");
      invalidate("queue");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setRefusal(error.message);
    }
    setBusy(null);
  };
  const mayStop = run.state === "running" || run.state === "starting" || run.state === "queued";
  const { status, model } = session.store;
  const hasEnded = (run.state === "stopped" || run.state === "failed") && !run.is_simulated;
  const mayResume = hasEnded && mayGoOn(model, status.name === "ended");
  return (
    <>
      <span className={css.actions}>
        {mayStop && (
          <Button onClick={() => void send("stop")} isBusy={busy === "stop"} title={run.is_simulated ? "Stop" : "Stop with a checkpoint"}>
            {run.state === "queued" ? "Cancel" : "Stop"}
          </Button>
        )}
        {mayResume && (
          <Button onClick={() => void send("resume")} isBusy={busy === "resume"} title="Go on from the last checkpoint">
            Resume
          </Button>
        )}
        <ExportMenu runIds={[run.id]} />
        <Button kind="primary" onClick={onClone} title="Clone with changes (C)">
          Clone with changes
        </Button>
      </span>
      {refusal && (
        <div className={css.refusal}>
          <Notice kind="fault">{refusal}</Notice>
        </div>
      )}
    </>
  );
}
