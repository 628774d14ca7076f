/** Ask for predictions, and hand over each line of the answer as it comes. */

import { ApiError } from "../api/client";
import type { Problem } from "../api/types";
import type { Frame } from "./answers";

/** What is asked. */
export interface Request {
  policies: Record<string, unknown>[];
  forecaster: Record<string, unknown> | null;
}

/** Read an answer to its end; ending `signal` ends the computation, too. */
export async function predict(runId: string, body: Request, signal: AbortSignal, onFrame: (frame: Frame) => void): Promise<void> {
  let response: Response;
  try {
    response = await fetch(`/api/v1/runs/${encodeURIComponent(runId)}/what-if`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError(0, "The server does not answer. Ask again when the connection is back.");
  }
  if (!response.ok || !response.body) throw await refusalOf(response);
  let hasEnded = false;
  for await (const line of linesOf(response.body, signal)) {
    const frame = JSON.parse(line) as Frame;
    hasEnded ||= frame.type === "end";
    onFrame(frame);
  }
  if (!hasEnded) throw new ApiError(0, "The answer was cut off. Ask again: what was computed is kept.");
}

async function refusalOf(response: Response): Promise<ApiError> {
  const isProblem = response.headers.get("content-type")?.includes("problem+json") ?? false;
  const { detail, errors = [] } = (isProblem ? await response.json() : {}) as Partial<Problem>;
  return new ApiError(response.status, detail ?? `The server answered ${response.status}.`, errors);
}

/** Cut a stream of bytes into lines. */
export async function* linesOf(body: ReadableStream<Uint8Array<ArrayBuffer>>, signal: AbortSignal): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line !== "") yield line;
    }
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError(0, "The connection was lost. Ask again: what was computed is kept.");
  }
}
