import { describe, expect, it } from "vitest";
import type { Run } from "../api/types";
import type { Event } from "../store/events";
import { emptyModel } from "../store/model";
import { reduce } from "../store/reduce";
import { connectionSentence, lossSentence, mayGoOn, wayOn } from "./sentences";

type Body = Event extends infer One ? (One extends Event ? Omit<One, "seq"> : never) : never;

const fold = (...bodies: Body[]) => reduce(emptyModel(), bodies.map((body, i) => ({ seq: i + 1, ...body })));
const joined = (worker: number): Body => ({ kind: "WorkerJoined", at_s: 1, worker, incarnation: 0, iteration: 0 });
const killed = (worker: number): Body => ({
  kind: "ProcessExited",
  at_s: 4.5,
  node: `worker-${worker}`,
  exit_code: -9,
  is_expected: false,
  detail: `worker-${worker} was killed by SIGKILL`,
});
const written: Body = { kind: "CheckpointWritten", at_s: 3, version: 12, file: "one.pt", clocks: {} };
const run = { is_simulated: false } as Run;

describe("the sentences at the head of a run", () => {
  it("name the worker that is lost, since when and why, and how many go on", () => {
    expect(lossSentence(fold(joined(0), joined(1), joined(2)))).toBe("");
    const one = fold(joined(0), joined(1), joined(2), killed(1));
    expect(lossSentence(one)).toBe("Worker 1 is lost since 4.50\u202fs: killed by SIGKILL. The other 2 go on.");
    expect(one.entries.at(-1)?.text).toBe("worker 1 was killed by SIGKILL");
    expect(lossSentence(fold(joined(0), joined(1), joined(2), killed(1), killed(2)))).toBe("2 workers of 3 are lost. The other one goes on.");
  });

  it("offer to resume only what has a checkpoint, once that is known", () => {
    const without = fold(joined(0));
    expect(wayOn(run, without, true)).toMatch(/^No checkpoint had been written yet/);
    expect(mayGoOn(without, true)).toBe(false);
    expect(mayGoOn(without, false)).toBe(true);
    const withOne = fold(joined(0), written);
    expect(wayOn(run, withOne, true)).toMatch(/^Resume goes on from the checkpoint of 3\.00\ss\./);
    expect(mayGoOn(withOne, true)).toBe(true);
    expect(wayOn(run, emptyModel(), true)).toMatch(/^It had not begun/);
    expect(wayOn({ ...run, is_simulated: true }, withOne, true)).toBe("Clone with changes starts it afresh.");
  });

  it("say since when the server is out of reach, and not for a short interruption", () => {
    const lost = { name: "reconnecting", retryS: 1, retryAtMs: 0, lostAtMs: 0 } as const;
    expect(connectionSentence({ ...lost, attempt: 1 }, fold(joined(0)))).toBe("");
    expect(connectionSentence({ ...lost, attempt: 3 }, fold(joined(0)))).toMatch(
      /^No connection since \d+:\d\d:\d\d .*\. You see the run as it was at 1\.00\ss; /,
    );
  });
});
