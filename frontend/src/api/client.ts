/** Talk to the REST API: one function a route, one error class. Types come from OpenAPI. */

import { answerInPage, forgetPageAnswers } from "./pageAnswers";
import { reportAnswer, reportLoss, reportSlow, SLOW_MS } from "../app/connection";
import type {
  Account,
  Catalogue,
  CheckResult,
  ComparedCurves,
  Comparison,
  Estimate,
  Experiment,
  ExperimentList,
  FieldProblem,
  Problem,
  QueueStatus,
  Run,
  RunPage,
  RunPatch,
} from "./types";

const PREFIX = "/api/v1";
const READ_TIMEOUT_MS = 20_000;

/** The server refused (`status` >= 400), or could not be reached (`status` 0). The message is a sentence for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly problems: FieldProblem[] = [],
  ) {
    super(message);
    this.name = "ApiError";
  }

  get isConnection(): boolean {
    return this.status === 0;
  }
}

interface Options {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

export function request<T>(path: string, options: Options = {}): Promise<T> {
  if (options.method !== undefined) forgetPageAnswers(); // what they say may be about to change
  return answerInPage<T>(PREFIX + path) ?? ask<T>(path, options);
}

async function ask<T>(path: string, { method = "GET", body, headers, signal }: Options): Promise<T> {
  const init: RequestInit = { method };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "Content-Type": "application/json", ...headers };
  }
  const { response, text } = await send(PREFIX + path, init);
  const isJson = response.headers.get("content-type")?.includes("json") ?? false;
  if (!response.ok) throw readProblem(response, isJson ? text : "{}");
  if (response.status === 204) return undefined as T;
  return (isJson ? JSON.parse(text) : text) as T;
}

/** Send, and tell the header how the connection does: a reading that gets no answer in time counts as lost. */
async function send(url: string, init: RequestInit): Promise<{ response: Response; text: string }> {
  const startMs = performance.now();
  const slow = window.setTimeout(reportSlow, SLOW_MS);
  const timeout = init.method === "GET" ? AbortSignal.timeout(READ_TIMEOUT_MS) : undefined;
  const signals = [init.signal, timeout].filter((signal) => signal instanceof AbortSignal);
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.any(signals) });
    const text = await response.text();
    reportAnswer(performance.now() - startMs);
    return { response, text };
  } catch (error) {
    if (init.signal?.aborted) throw error;
    reportLoss();
    throw new ApiError(0, "The server does not answer. Runs go on training; this page tries again by itself.");
  } finally {
    window.clearTimeout(slow);
  }
}

function readProblem({ status, statusText }: Response, text: string): ApiError {
  if (status === 401) {
    return new ApiError(401, "The server wants its token: open the link that `foresync serve` has printed.");
  }
  const { detail, title, errors = [] } = JSON.parse(text) as Partial<Problem>;
  return new ApiError(status, detail ?? title ?? `The server answered ${status} ${statusText}.`, errors);
}

const id = encodeURIComponent;

/** Write a query; null and "" are left out, a list repeats its key. */
export function query(params: Record<string, string | number | readonly string[] | null | undefined>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    const values = Array.isArray(value) ? (value as readonly string[]) : [value];
    for (const one of values) if (one !== null && one !== undefined && one !== "") search.append(key, String(one));
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}

/** What GET /runs takes; absent keys do not filter. */
export interface RunFilter {
  state?: readonly string[];
  policy?: string | null;
  dataset?: string | null;
  tag?: string | null;
  q?: string | null;
  experiment_id?: string | null;
  sort?: string | null;
  limit?: number;
  cursor?: string | null;
}

/** A key for `Idempotency-Key`: a repeated click or a lost answer does not start an experiment twice. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID() is missing over plain HTTP
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const api = {
  catalogue: (signal?: AbortSignal) => request<Catalogue>("/catalogue", { signal }),
  queue: (signal?: AbortSignal) => request<QueueStatus>("/queue", { signal }),

  checkExperiment: (spec: unknown, signal?: AbortSignal) =>
    request<CheckResult>("/experiments/check", { method: "POST", body: spec, signal }),
  estimateExperiment: (spec: unknown, signal?: AbortSignal) =>
    request<Estimate>("/experiments/estimate", { method: "POST", body: spec, signal }),
  startExperiment: (spec: unknown, key: string) =>
    request<Experiment>("/experiments", { method: "POST", body: spec, headers: { "Idempotency-Key": key } }),
  experiments: (signal?: AbortSignal) => request<ExperimentList>("/experiments", { signal }),
  experiment: (experimentId: string, signal?: AbortSignal) =>
    request<Experiment>(`/experiments/${id(experimentId)}`, { signal }),
  deleteExperiment: (experimentId: string) =>
    request<undefined>(`/experiments/${id(experimentId)}`, { method: "DELETE" }),

  runs: (filter: RunFilter = {}, signal?: AbortSignal) => request<RunPage>(`/runs${query({ ...filter })}`, { signal }),
  run: (runId: string, signal?: AbortSignal) => request<Run>(`/runs/${id(runId)}`, { signal }),
  changeRun: (runId: string, patch: Partial<RunPatch>) =>
    request<Run>(`/runs/${id(runId)}`, { method: "PATCH", body: patch }),
  deleteRun: (runId: string) => request<undefined>(`/runs/${id(runId)}`, { method: "DELETE" }),
  stopRun: (runId: string) => request<Run>(`/runs/${id(runId)}/stop`, { method: "POST" }),
  resumeRun: (runId: string) => request<Run>(`/runs/${id(runId)}/resume`, { method: "POST" }),
  cloneRun: (runId: string, changes: Record<string, unknown>, name: string | null = null) =>
    request<Run>(`/runs/${id(runId)}/clone`, { method: "POST", body: name === null ? { changes } : { changes, name } }),
  account: (runId: string, signal?: AbortSignal) => request<Account>(`/runs/${id(runId)}/account`, { signal }),
  runLog: (runId: string, tailBytes: number, signal?: AbortSignal) =>
    request<string>(`/runs/${id(runId)}/log${query({ tail_bytes: tailBytes })}`, { signal }),

  compare: (runIds: readonly string[], baseline: string | null, signal?: AbortSignal) =>
    request<Comparison>(`/compare${query({ runs: runIds.join(","), baseline })}`, { signal }),
  comparedCurves: (runIds: readonly string[], signal?: AbortSignal) =>
    request<ComparedCurves>(`/compare/curves${query({ runs: runIds.join(",") })}`, { signal }),
};
