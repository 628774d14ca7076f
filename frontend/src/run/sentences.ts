/** What the head of the page says of a run that has lost workers, has failed, or is out of reach. */

import type { Run } from "../api/types";
import { formatAbsolute, formatSeconds, plural } from "../format";
import type { FeedStatus } from "../store/live";
import { nodeName, type RunModel } from "../store/model";

const MANY_TRIES = 2; // after which a lost connection is worth a sentence

/** Say since when the server is out of reach, and what is still seen; "" while it is not. */
export function connectionSentence(status: FeedStatus, { numEvents, lastS }: RunModel): string {
  if (status.name !== "offline" && !(status.name === "reconnecting" && status.attempt > MANY_TRIES)) return "";
  const sinceMs = performance.timeOrigin + status.lostAtMs;
  const time = formatAbsolute(new Date(sinceMs).toISOString()).split(", ").at(-1) ?? "";
  const seen = numEvents > 0 ? `You see the run as it was at ${formatSeconds(lastS)}` : "Nothing was known of the run then";
  return `No connection since ${time}. ${seen}; the rest comes when the server answers.`;
}

/** Say which workers are gone while the others train on; "" when none is. */
export function lossSentence({ workers }: RunModel): string {
  const lost = workers.filter(({ life }) => life === "lost");
  const [first] = lost;
  if (!first) return "";
  const numLeft = workers.length - lost.length;
  const others = numLeft === 0 ? "No other is left." : numLeft === 1 ? "The other one goes on." : `The other ${numLeft} go on.`;
  if (lost.length > 1) return `${plural(lost.length, "worker")} of ${workers.length} are lost. ${others}`;
  const since = first.goneS === null ? "" : ` since ${formatSeconds(first.goneS)}`;
  return `${capital(nodeName(first.id))} is lost${since}${first.exit && `: ${first.exit}`}. ${others}`;
}

/** Tell how a failed run can be gone on with. */
export function wayOn(run: Run, model: RunModel, isWhole: boolean): string {
  const afresh = "Clone with changes starts it afresh.";
  if (run.is_simulated) return afresh;
  if (mayGoOn(model, isWhole)) {
    const written = model.entries.findLast(({ kind }) => kind === "checkpoint");
    if (written) return `Resume goes on from the checkpoint of ${formatSeconds(written.atS)}. ${afresh}`;
    return isWhole ? `It had not begun: Resume starts it again. ${afresh}` : `Resume goes on from its last checkpoint. ${afresh}`;
  }
  return `No checkpoint had been written yet, so it cannot go on. ${afresh}`;
}

/** Whether a run that has ended has a checkpoint to go on from, or had not begun; while that is not known, it may. */
export function mayGoOn({ numEvents, entries }: RunModel, isWhole: boolean): boolean {
  return !isWhole || numEvents === 0 || entries.some(({ kind }) => kind === "checkpoint");
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
