import { afterEach, describe, expect, it, vi } from "vitest";
import type { Run } from "../api/types";
import { act, cleanup, renderHook, waitFor } from "../testing";
import { useTuning } from "./useTuning";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function tune() {
  const policy = { name: "ssp", threshold: 3, other: 1 };
  const server = { changes: [] as unknown[], posts: [] as unknown[], status: 200 };
  vi.stubGlobal("WebSocket", class { close() {} send() {} });
  vi.stubGlobal("fetch", (_: string, { method, body }: RequestInit) => {
    if (method === "POST") server.posts.push(JSON.parse(body as string));
    const answer = method === "POST" ? { after_seq: 10, detail: "no" } : { is_possible: true, reason: "", policy, forecaster: null, changes: server.changes };
    const status = method === "POST" ? server.status : 200;
    return Promise.resolve(new Response(JSON.stringify(answer), { status, headers: { "content-type": "application/json" } }));
  });
  const run = { id: `run ${Math.random()}`, state: "running" } as Run;
  return { server, ...renderHook(() => useTuning(run, 0)) };
}

describe("changing the settings of a running run", () => {
  it("keeps what is edited while a change is on its way, and asks once", async () => {
    const { server, result } = tune();
    await waitFor(() => expect(result.current.now).toBeDefined());
    act(() => result.current.edit("policy.threshold", 5));
    act(() => result.current.apply());
    expect(result.current.asked).not.toBeNull(); // before the server has answered: a second click finds it so
    act(() => result.current.edit("policy.other", 7));
    await act(() => new Promise((resolve) => setTimeout(resolve, 50)));
    server.changes = [{ seq: 12, at_s: 1, settings: [] }];
    await waitFor(() => expect(result.current.asked).toBeNull(), { timeout: 3000 });
    expect(server.posts).toEqual([{ policy: { threshold: 5 }, forecaster: {} }]);
    expect(Object.keys(result.current.changes)).toEqual(["policy.other"]);
  });

  it("may be asked for again after a refusal", async () => {
    const { server, result } = tune();
    await waitFor(() => expect(result.current.now).toBeDefined());
    server.status = 409;
    act(() => result.current.edit("policy.threshold", 5));
    act(() => result.current.apply());
    await waitFor(() => expect(result.current.refused.message).not.toBe(""));
    expect([result.current.asked, result.current.changes]).toEqual([null, { "policy.threshold": 5 }]);
  });
});
