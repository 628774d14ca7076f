import { memo } from "react";
import { formatCount, formatPercent, formatSeconds } from "../format";
import { MANY_NODES, useIsOpen, useNodeNews, type Session } from "../run/session";
import { ratio, sharesOf } from "../store/figures";
import { runningForecast } from "../store/forecast";
import { nodeName, type NodeModel, type RunModel } from "../store/model";
import { activityAt } from "../store/open";
import { Kind, KIND_LABELS } from "../store/spans";
import { exactTime } from "./ticks";

/** The lanes in words, for screen readers: what each node is doing. Many nodes follow the lanes, which come first. */
export const LaneTable = memo(function LaneTable({ session }: { session: Session }) {
  useNodeNews(session);
  const isOpen = useIsOpen(session);
  const { model } = session.store;
  if (model.nodes.size > MANY_NODES && !isOpen) return null;
  const nowS = session.store.nowS();
  return (
    <div className="unseen">
      <table>
        <caption>What each node is doing</caption>
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">State</th>
            <th scope="col">Utilisation</th>
            <th scope="col">Predicted end of its iteration</th>
          </tr>
        </thead>
        <tbody>
          {[...model.nodes.values()].map((node) => (
            <tr key={node.id}>
              <th scope="row">{nodeName(node.id)}</th>
              <td>{stateSentence(model, node, nowS)}</td>
              <td>{node.worker === null ? "" : utilisation(model, node, nowS)}</td>
              <td>{predictedEnd(model, node)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
});

function utilisation(model: RunModel, node: NodeModel, nowS: number): string {
  const { computeS, wallS } = sharesOf(model, node, 0, nowS, nowS);
  return formatPercent(ratio(computeS, wallS));
}

function predictedEnd(model: RunModel, node: NodeModel): string {
  const running = runningForecast(model, node);
  return running ? `${exactTime(running.expectedS)}, between ${exactTime(running.lowS)} and ${exactTime(running.highS)}` : "";
}

/** Say what a node is doing at this moment: "waiting for 1.24 s: waits for worker 1: leads by 4, threshold 3". */
export function stateSentence(model: RunModel, node: NodeModel, nowS: number): string {
  if (node.worker === null && node.life !== "lost") {
    if (node.goneS !== null) return "ended";
    return node.id === "server" ? `running, version ${model.version}` : "running";
  }
  const { kind, sinceS, reason } = activityAt(model, node, nowS);
  if (kind === null) return node.exit || LIVES[node.life];
  const lasted = formatSeconds(nowS - sinceS);
  const tail = reason ? `: ${reason}` : "";
  if (kind === Kind.compute) return `computing iteration ${formatCount(node.iteration + 1)}`;
  if (kind !== Kind.lost) return `${KIND_LABELS[kind]} for ${lasted}${tail}`;
  return model.finishedS === null ? `lost for ${lasted}${tail}` : reason || `lost at ${exactTime(sinceS)}`;
}

const LIVES: Record<NodeModel["life"], string> = {
  expected: "not started yet",
  started: "starting",
  joined: "done",
  finished: "done",
  stopped: "stopped",
  lost: "lost",
};
