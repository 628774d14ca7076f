/** What a node has been doing lately, in words that do not flicker. */

import { formatPercent } from "../format";
import { ratio, sharesOf } from "./figures";
import { nodeName, type NodeModel, type RunModel } from "./model";
import { activityAt, openSpans } from "./open";
import { Kind } from "./spans";

const RECENT_S = 10;
const LONG_S = 1.5; // a wait that lasts so long is told with the gate's sentence
const MUCH = 0.03; // share of the time from which waiting is worth a word

/** Whom a worker, or all of them, waited for lately: seconds by worker. */
export function blame(model: RunModel, nodes: readonly NodeModel[], fromS: number, nowS: number): Map<number, number> {
  const seconds = new Map<number, number>();
  const add = (reason: number, lengthS: number) => {
    const others = model.blamed.get(reason) ?? [];
    for (const worker of others) seconds.set(worker, (seconds.get(worker) ?? 0) + lengthS / others.length);
  };
  for (const node of nodes) {
    const { track } = node;
    for (let i = track.firstEndingAfter(fromS); i < track.length; i++) {
      if (track.kind[i] === Kind.wait) add(track.reason[i] as number, (track.end[i] as number) - (track.start[i] as number));
    }
    for (const span of openSpans(model, node, nowS)) if (span.kind === Kind.wait) add(span.reason, span.endS - span.startS);
  }
  return seconds;
}

/** Name the worker that was waited for longest, or "". */
export function mostBlamed(seconds: ReadonlyMap<number, number>): string {
  let most: number | null = null;
  for (const [worker, lengthS] of seconds) if (most === null || lengthS > (seconds.get(most) ?? 0)) most = worker;
  return most === null ? "" : nodeName(`worker-${most}`);
}

/** Say in a few words what a worker did in the last seconds: "waits 54%, mostly for worker 3". */
export function recentText(model: RunModel, node: NodeModel, nowS: number): string {
  if (node.life === "expected") return node.numPushes > 0 ? "" : "not started";
  if (node.life === "started") return "starting";
  if (node.life === "lost") return node.exit ? `lost: ${node.exit}` : "lost";
  if (node.goneS !== null) return node.exit;
  const { kind, sinceS, reason } = activityAt(model, node, nowS);
  if (kind === Kind.wait && nowS - sinceS > LONG_S && reason) return reason;
  const fromS = Math.max(0, nowS - RECENT_S);
  const { waitS, wallS } = sharesOf(model, node, fromS, nowS, nowS);
  const share = ratio(waitS, wallS) ?? 0;
  if (share < MUCH) return "";
  const other = mostBlamed(blame(model, [node], fromS, nowS));
  return `waits ${formatPercent(share)}${other && `, for ${other}`}`;
}

/** The same for all workers, as a sentence. */
export function recentSentence(model: RunModel, nowS: number): string {
  const fromS = Math.max(0, nowS - RECENT_S);
  let wallS = 0;
  let waitS = 0;
  for (const node of model.workers) {
    const shares = sharesOf(model, node, fromS, nowS, nowS);
    wallS += shares.wallS;
    waitS += shares.waitS;
  }
  const share = ratio(waitS, wallS);
  if (share === null) return "";
  if (share < MUCH) return "Nobody waits for long.";
  const other = mostBlamed(blame(model, model.workers, fromS, nowS));
  return `Workers wait ${formatPercent(share)} of the time${other && `, mostly for ${other}`}.`;
}
