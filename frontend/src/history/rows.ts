/** A complete run as a list shows it, for lists that are not the history's. */

import type { Run } from "../api/types";
import { progressOf } from "./progress";
import type { RunRow } from "./types";

export function rowOf(run: Run): RunRow {
  const { spec_in_force: spec, summary } = run;
  return {
    id: run.id,
    experiment_id: run.experiment_id,
    experiment_name: run.experiment_name,
    name: run.name,
    state: run.state,
    reason: run.reason,
    policy: spec.policy,
    policy_at_start: run.spec.policy,
    is_retuned: run.is_retuned,
    model: spec.task.model,
    dataset: spec.task.dataset,
    num_workers: spec.cluster.num_workers,
    seed: spec.seed,
    is_simulated: run.is_simulated,
    tags: run.tags,
    note: run.notes.trim().split("\n")[0] ?? "",
    created_at: run.created_at,
    started_at: run.started_at,
    finished_at: run.finished_at,
    deleted_at: run.deleted_at,
    is_archived: run.is_archived,
    queue_position: run.queue_position,
    progress: run.state === "running" ? progressOf(run) : null,
    target: spec.stop.target,
    duration_s: run.started_at === null ? null : summary.duration_s,
    time_to_target_s: summary.time_to_target_s,
    final_accuracy: summary.final_accuracy,
    test_accuracy: summary.test_accuracy,
    best_accuracy: summary.best_accuracy,
    final_loss: summary.final_loss,
    utilisation: summary.utilisation,
    wait_share: summary.wait_share,
    iterations_per_s: summary.iterations_per_s,
    mean_staleness: summary.mean_staleness,
    traffic_bytes: summary.bytes,
    forecast_coverage: summary.forecasts?.coverage ?? null,
  };
}
