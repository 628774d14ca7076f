/** What the fold makes of processes and of the run as a whole: joins, losses, gauges, messages, the end. */

import type { EventOf } from "./events";
import { endWait } from "./exchange";
import { intern, nodeName, nodeOf, workerOf, type Entry, type EntryKind, type NodeModel, type RunModel } from "./model";
import { Kind } from "./spans";

function note(
  model: RunModel,
  event: { seq: number; at_s: number },
  kind: EntryKind,
  node: string | null,
  text: string,
  level: Entry["level"] = "info",
): void {
  model.entries.push({ seq: event.seq, atS: event.at_s, kind, node, level, text });
}

export function runStarted(model: RunModel, event: EventOf<"RunStarted">): void {
  model.runId = event.run_id;
  model.isSimulated = event.is_simulated;
  model.versions = event.versions;
  model.starts.push({ seq: event.seq, wallOffsetS: event.wall_time_s - event.at_s });
  model.outcome = null;
  model.finishedS = null;
  dropPlans(model);
  model.clocks.clear();
  for (const node of model.nodes.values()) abandon(node, event.at_s);
  if (model.starts.length > 1) note(model, event, "resumed", null, "the run goes on from its checkpoint");
  else note(model, event, "started", null, `the run started${event.is_simulated ? " (simulated)" : ""}`);
}

/** What was predicted and has not happened will not happen any more. */
function dropPlans(model: RunModel): void {
  model.plan = null;
  const { windows } = model;
  for (let i = windows.length - 1; i >= 0 && Number.isNaN(windows.get(i, "actualS")); i--) {
    windows.set(i, "actualS", Infinity);
  }
}

/** Forget what a node was about to do when its process ended. */
function abandon(node: NodeModel, atS: number): void {
  endWait(node, atS);
  endLife(node, atS);
  node.pending = null;
  node.holds = [];
  node.forecasts.drop();
  if (node.life !== "lost") node.life = "expected";
}

export function runResumed(model: RunModel, event: EventOf<"RunResumed">): void {
  model.version = event.version;
  for (const [worker, clock] of Object.entries(event.clocks)) workerOf(model, Number(worker)).clock = clock;
}

export function nodeStarted(model: RunModel, event: EventOf<"NodeStarted">): void {
  const node = nodeOf(model, event.node);
  node.pid = event.pid;
  node.incarnation = event.incarnation;
  revive(model, node, event.at_s, "started");
}

export function workerJoined(model: RunModel, event: EventOf<"WorkerJoined">): void {
  const node = workerOf(model, event.worker);
  node.incarnation = event.incarnation;
  node.iteration = event.iteration;
  node.clock = event.iteration;
  revive(model, node, event.at_s, "joined");
  endLife(node, event.at_s);
  node.lives.push({ fromS: event.at_s, toS: Infinity });
  node.forecasts.begin(event.iteration);
  model.clocks.set(event.worker, event.iteration);
  const again = event.incarnation > 0 ? ` again, at iteration ${event.iteration}` : "";
  note(model, event, "joined", node.id, `${nodeName(node.id)} joined${again}`);
}

function revive(model: RunModel, node: NodeModel, atS: number, life: "started" | "joined"): void {
  node.bornS ??= atS;
  if (node.life === "lost" && node.goneS !== null) {
    const gap = { iteration: node.iteration, reason: node.exit ? intern(model, node.exit) : -1, value: 0, isSlow: false, seq: 0 };
    node.track.add({ ...gap, kind: Kind.lost, startS: node.goneS, endS: atS });
  }
  if (life === "joined" || node.life !== "joined") node.life = life;
  node.goneS = null;
  node.exit = "";
}

const LEFT: Record<EventOf<"WorkerLeft">["reason"], string> = {
  finished: "has done its iterations",
  stopped: "stopped with the run",
  died: "is lost",
};

export function workerLeft(model: RunModel, event: EventOf<"WorkerLeft">): void {
  const node = workerOf(model, event.worker);
  const isLost = event.reason === "died";
  leave(node, event.at_s, isLost ? "lost" : event.reason === "finished" ? "finished" : "stopped");
  if (!node.exit && !isLost) node.exit = LEFT[event.reason];
  model.clocks.remove(event.worker);
  const text = `${nodeName(node.id)} ${LEFT[event.reason]}`;
  note(model, event, isLost ? "lost" : "left", node.id, text, isLost ? "error" : "info");
}

/** A life lasts to the end of what is known to have happened in it. */
function endLife(node: NodeModel, atS: number): void {
  const life = node.lives[node.lives.length - 1];
  if (life?.toS === Infinity) life.toS = Math.max(atS, node.track.lastEndS ?? atS);
}

function leave(node: NodeModel, atS: number, life: "finished" | "stopped" | "lost"): void {
  endWait(node, atS);
  endLife(node, atS);
  if (node.goneS === null) {
    node.goneS = atS;
    node.life = life;
  } else if (life === "lost") node.life = life;
  node.pending = null;
  node.holds = [];
}

/** Say how a process ended, without its name, which stands beside it wherever this is read. */
function exitOf({ node, exit_code: exitCode, detail }: EventOf<"ProcessExited">): string {
  if (detail.startsWith(`${node} `)) return detail.slice(node.length + 1).replace(/^was /, "");
  return detail || (exitCode < 0 ? `killed by signal ${-exitCode}` : `exit code ${exitCode}`);
}

export function processExited(model: RunModel, event: EventOf<"ProcessExited">): void {
  const node = nodeOf(model, event.node);
  const how = exitOf(event);
  const isNamed = event.detail.startsWith(`${node.id} `);
  const text = `${nodeName(node.id)}${isNamed ? event.detail.slice(node.id.length) : ` ended: ${how}`}`;
  if (!event.is_expected) {
    leave(node, event.at_s, "lost");
    node.exit = how;
  } else if (node.goneS === null) leave(node, event.at_s, "finished");
  note(model, event, event.is_expected ? "exited" : "lost", node.id, text, event.is_expected ? "info" : "error");
}

export function nodeSampled(model: RunModel, event: EventOf<"NodeSampled">): void {
  const node = nodeOf(model, event.node);
  node.cpu.add(event.at_s, event.cpu_share);
  node.memory.add(event.at_s, event.memory_bytes);
  if (node.worker === null) {
    node.sentBytes = event.sent_bytes;
    node.receivedBytes = event.received_bytes;
  }
}

export function messageLogged(model: RunModel, event: EventOf<"MessageLogged">): void {
  note(model, event, "message", event.node, event.text, event.level);
}

export function runFinished(model: RunModel, event: EventOf<"RunFinished">): void {
  model.outcome = event.outcome;
  model.closing = event.reason;
  model.finishedS = event.at_s;
  dropPlans(model);
  for (const node of model.nodes.values()) {
    if (node.goneS === null) leave(node, event.at_s, event.outcome === "stopped" ? "stopped" : "finished");
  }
  note(model, event, "finished", null, event.reason, event.outcome === "failed" ? "error" : "info");
}
