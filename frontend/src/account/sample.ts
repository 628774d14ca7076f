/** A small account for tests: three workers, of which the third is slow. */

import type { Account, AccountWorker } from "../api/types";
import type { Parts } from "./parts";

const NO_PARTS: Parts = {
  compute: 0, overlap: 0, stall: 0, startup: 0, up: 0, server: 0, wait: 0, down: 0, lost: 0, stopped: 0, unfinished: 0,
};

const LABELS: [string, string][] = [
  ["compute", "computing"],
  ["overlap", "computing during a synchronisation"],
  ["stall", "slower than asked for"],
  ["startup", "starting"],
  ["up", "sending"],
  ["server", "at the server, nobody waited for"],
  ["wait", "waiting for others"],
  ["down", "receiving"],
  ["lost", "lost"],
  ["stopped", "away"],
  ["unfinished", "unfinished"],
  ["unaccounted", "unaccounted"],
];

const COUNTS = { num: 4, mean: 0.5, median: 0, p95: 1, max: 1, width: 1, first: 0, bars: [2, 2] };
const NOTHING = { num_iterations: 0, seconds: 0 };

function aWorker(worker: number, parts: Partial<Parts>, unaccountedS: number, causedS: number): AccountWorker {
  const all = { ...NO_PARTS, ...parts };
  const wallS = Object.values(all).reduce((sum, one) => sum + one, unaccountedS);
  return {
    worker, parts: all, unaccounted_s: unaccountedS, wall_s: wallS, caused_s: causedS,
    num_lives: 1, is_there: false, wait_kinds: { barrier: all.wait }, num_iterations: 3, mean_staleness: 0, forecasts: null,
  };
}

export function anAccount(changes: Partial<Account> = {}): Account {
  const workers = [
    aWorker(0, { compute: 3, up: 1, wait: 5, down: 1 }, 0.5, 0),
    aWorker(1, { compute: 6, up: 1, wait: 2.5, down: 1 }, 0, 1),
    aWorker(2, { compute: 8.5, up: 1, down: 1 }, 0, 6),
  ];
  const parts = { ...NO_PARTS, compute: 17.5, up: 3, wait: 7.5, down: 3 };
  return {
    run_id: "r",
    answer: ["Workers spent 24% of their time waiting, 80% of it for worker 2.", "Computing took 56% of it."],
    basis: { times: "measured", bytes: "measured", predictions: "predicted" },
    is_complete: true,
    counted_share: 1,
    is_finished: true,
    until_s: 10.5,
    num_events: 100,
    part_words: LABELS.map(([key, label]) => ({ key, label, meaning: `What ${label} means.` })),
    wait_labels: { barrier: "a barrier at which all wait for all" },
    workers,
    total: { wall_s: 31.5, parts, unaccounted_s: 0.5, wait_kinds: { barrier: 7.5 }, num_iterations: 9 },
    waits_for: { workers: [0, 1, 2], seconds: [[0, 1, 4], [0, 0, 2], [0, 0, 0]], nobody_s: [0, 0.5, 0] },
    sentences: {
      top: [{ sentence: "waits at the barrier for worker 2", kind: "barrier", seconds: 7.5, num: 6 }],
      others_s: 0,
      num_others: 0,
    },
    critical: { slice_s: 4, workers: [null, 2, 1], seconds: [0, 6, 1], waited_s: [0, 6, 1.5] },
    staleness: COUNTS,
    lead: COUNTS,
    work: {
      applied: { num_iterations: 8, seconds: 15 }, pending: NOTHING, discarded: { num_iterations: 1, seconds: 2.5 },
      dropped: NOTHING, unsent: NOTHING, unfinished_s: 0, num_rolled_back: 0, target_at_s: null, after_target: null,
    },
    bytes: [{ node: "worker-0", sent_bytes: 1000, received_bytes: 2000, known_by: "gauge" }],
    evaluations: { num: 2, seconds: 0.25 },
    predictions: { first_plans: null, last_plans: null, iterations: null, error_bars: { width: 0.05, counts: [] }, num_warm_up: 20 },
    ...changes,
  };
}
