import { afterEach, describe, expect, it, vi } from "vitest";
import { api, ApiError, newIdempotencyKey } from "./client";

const answer = (body: string | null, status = 200, type = "application/json") =>
  vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response(body, { status, headers: { "Content-Type": type } }));

const failure = async (asked: Promise<unknown>): Promise<ApiError> => {
  const error: unknown = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw new Error("must be refused with an ApiError");
  return error;
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a request", () => {
  it("writes filters as a query, without what does not filter", async () => {
    const fetch = answer("{}");
    await api.runs({ state: ["running", "queued"], q: "a&b", policy: null, tag: "", limit: 100 });
    expect(fetch.mock.calls[0]?.[0]).toBe("/api/v1/runs?state=running&state=queued&q=a%26b&limit=100");
  });

  it("keeps an id inside its part of the path", async () => {
    const fetch = answer("{}");
    await api.run("../secret?x#y");
    expect(fetch.mock.calls[0]?.[0]).toBe("/api/v1/runs/..%2Fsecret%3Fx%23y");
  });

  it("reads JSON, text and nothing", async () => {
    answer('{"running":[]}');
    expect(await api.queue()).toEqual({ running: [] });
    answer("a line\n", 200, "text/plain");
    expect(await api.runLog("r", 10)).toBe("a line\n");
    answer(null, 204);
    await expect(api.deleteRun("r")).resolves.toBeUndefined();
  });
});

describe("a refusal", () => {
  it("keeps the sentence and the fields", async () => {
    const errors = [{ field: "policy.threshold", value: -1, wish: "must be >= 0" }];
    answer(
      JSON.stringify({ status: 422, title: "No", detail: "It has problems.", errors }),
      422,
      "application/problem+json",
    );
    const error = await failure(api.checkExperiment({}));
    expect(error).toMatchObject({ status: 422, message: "It has problems.", problems: errors, isConnection: false });
  });

  it("says something even when the answer is no problem document", async () => {
    answer("<html>", 502, "text/html");
    expect((await failure(api.queue())).message).toContain("502");
    answer("{}", 401);
    expect((await failure(api.queue())).message).toContain("token");
  });

  it("tells a lost connection from a request that was given up", async () => {
    vi.spyOn(globalThis, "fetch").mockRejectedValue(new TypeError("Failed to fetch"));
    expect((await failure(api.queue())).isConnection).toBe(true);
    const controller = new AbortController();
    controller.abort();
    await expect(api.queue(controller.signal)).rejects.toThrow("Failed to fetch");
  });
});

it("makes keys that differ", () => {
  expect(newIdempotencyKey()).toMatch(/^[0-9a-f]{32}$/);
  expect(newIdempotencyKey()).not.toBe(newIdempotencyKey());
});
