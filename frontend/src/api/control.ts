/** Requests that steer what trains: the queue, and settings of a run that trains. */

import { request } from "./client";
import type { components } from "./generated";

type Schemas = components["schemas"];

export type QueueOutlook = Schemas["QueueOutlook"];
export type QueueStatus = Schemas["QueueStatus"];
export type RetuneAsked = Schemas["RetuneAsked"];
export type RetuneChange = Schemas["RetuneChange"];
export type RunOutlook = Schemas["RunOutlook"];
export type Tuning = Schemas["Tuning"];

export type QueuePlace = "first" | "up" | "down" | "last";

const id = encodeURIComponent;

export const control = {
  readSpec: (text: string) =>
    request<Schemas["ExperimentSpec"]>("/experiments/read", { method: "POST", body: { text } }),
  writeSpec: (experiment: unknown, format: "yaml" | "json", signal?: AbortSignal) =>
    request<string>("/experiments/write", { method: "POST", body: { experiment, format }, signal }),

  outlook: (signal?: AbortSignal) => request<QueueOutlook>("/queue/outlook", { signal }),
  changeQueue: (patch: { is_paused?: boolean; concurrency?: number }) =>
    request<QueueStatus>("/queue", { method: "PATCH", body: patch }),
  moveQueued: (runIds: readonly string[], to: QueuePlace | { before: string }) =>
    request<QueueStatus>("/queue/move", {
      method: "POST",
      body: { run_ids: runIds, ...(typeof to === "string" ? { to } : to) },
    }),
  cancelQueued: (runIds: readonly string[]) =>
    request<Schemas["QueueCancelled"]>("/queue/cancel", { method: "POST", body: { run_ids: runIds } }),

  tuning: (runId: string, signal?: AbortSignal) => request<Tuning>(`/runs/${id(runId)}/retune`, { signal }),
  retune: (runId: string, policy: Record<string, unknown>, forecaster: Record<string, unknown>) =>
    request<RetuneAsked>(`/runs/${id(runId)}/retune`, { method: "POST", body: { policy, forecaster } }),
};
