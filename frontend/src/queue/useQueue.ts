import { useState } from "react";
import { api, ApiError } from "../api/client";
import { control, type QueueOutlook, type QueuePlace } from "../api/control";
import { invalidate, putResource, useResource } from "../api/resource";
import { plural } from "../format";
import { toast } from "../ui/Toasts";
import { destination, move, moveTo } from "./order";

const KEY = "queue outlook";
const BUSY_MS = 2000;
const IDLE_MS = 5000;

export interface QueueState {
  outlook: QueueOutlook | undefined;
  error: string;
  said: string; // for screen readers: what a move has done
  order: string[]; // of the waiting runs
  moveBy: (chosen: ReadonlySet<string>, to: QueuePlace) => void;
  moveInto: (chosen: ReadonlySet<string>, at: number) => void;
  cancel: (chosen: ReadonlySet<string>) => void;
  change: (patch: { is_paused?: boolean; concurrency?: number }) => void;
}

/** The queue with what is predicted of it, and what can be done to it. */
export function useQueue(): QueueState {
  const { data: outlook, error } = useResource(KEY, control.outlook, (known) =>
    known && known.runs.length > 0 ? BUSY_MS : IDLE_MS,
  );
  const [said, setSaid] = useState("");
  const order = outlook?.runs.filter((run) => !run.is_running).map((run) => run.run_id) ?? [];
  const nameOf = (id: string | undefined) => outlook?.runs.find((run) => run.run_id === id)?.name ?? "";

  const reorder = (next: string[], chosen: ReadonlySet<string>, to: QueuePlace | { before: string }) => {
    if (next.join() === order.join()) return;
    putResource<QueueOutlook>(KEY, (old) => old && withOrder(old, next));
    const first = next.findIndex((id) => chosen.has(id));
    const who = chosen.size === 1 ? nameOf(next[first]) : plural(chosen.size, "run");
    setSaid(`${who} moved to place ${first + 1} of ${next.length}.`);
    void attempt(() => control.moveQueued([...chosen], to));
  };
  return {
    outlook,
    error: error?.message ?? "",
    said,
    order,
    moveBy: (chosen, to) => reorder(move(order, chosen, to), chosen, to),
    moveInto: (chosen, at) => reorder(moveTo(order, chosen, at), chosen, destination(order, chosen, at)),
    cancel: (chosen) => void attempt(() => cancel(order, chosen)),
    change: (patch) => {
      putResource<QueueOutlook>(KEY, (old) => old && { ...old, ...patch });
      void attempt(() => control.changeQueue(patch));
    },
  };
}

/** Ask, and see what has become of it; a refusal is said, and the page shows how it is. */
async function attempt(request: () => Promise<unknown>): Promise<void> {
  try {
    await request();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast({ text: error.message });
  }
  for (const prefix of ["queue", "runs", "experiment"]) invalidate(prefix);
}

async function cancel(order: readonly string[], chosen: ReadonlySet<string>): Promise<void> {
  const { cancelled } = await control.cancelQueued([...chosen]);
  if (cancelled.length === 0) {
    toast({ text: "They train already, so nothing was taken out of the queue." });
    return;
  }
  const kept = order.filter((id) => !cancelled.includes(id));
  const text = `${plural(cancelled.length, "run was", "runs were")} taken out of the queue.`;
  const undo = () => attempt(() => putBack(order, kept, cancelled));
  toast({ text, action: { label: "Undo", run: undo } });
}

/** Queue runs again, each before the one that stood behind it. */
async function putBack(order: readonly string[], kept: readonly string[], cancelled: readonly string[]): Promise<void> {
  for (const id of cancelled) await api.resumeRun(id);
  for (const id of cancelled.toReversed()) {
    const next = order.slice(order.indexOf(id) + 1).find((one) => kept.includes(one) || cancelled.includes(one));
    if (next !== undefined) await control.moveQueued([id], { before: next });
  }
}

function withOrder(outlook: QueueOutlook, order: readonly string[]): QueueOutlook {
  const running = outlook.runs.filter((run) => run.is_running);
  const waiting = outlook.runs.filter((run) => !run.is_running);
  // Each place keeps its times until the server has predicted anew.
  const moved = order.flatMap((id, place) => {
    const run = waiting.find((one) => one.run_id === id);
    const { starts_low_s, starts_high_s, ends_low_s, ends_high_s } = waiting[place] ?? {};
    return run
      ? [{ ...run, ...(starts_low_s !== undefined && { starts_low_s, starts_high_s, ends_low_s, ends_high_s }) }]
      : [];
  });
  return { ...outlook, runs: [...running, ...(moved as typeof running)] };
}
