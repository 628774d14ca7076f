import { afterEach, describe, expect, it, vi } from "vitest";
import type { Catalogue } from "../api/types";
import { navigate } from "../app/router";
import { reportAnswer } from "../app/connection";
import { act, cleanup, renderHook, waitFor } from "../testing";
import { useDraft } from "./useDraft";

const preset = { name: "demonstration", title: "", description: "", experiment: { name: "d", run: {}, grid: {}, seeds: [1] } };
const catalogue = { schema: { type: "object", properties: {} }, presets: [preset], defaults: {} } as unknown as Catalogue;

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

describe("the draft of an experiment", () => {
  it("comes back after an address that could not be opened", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
    window.history.replaceState(null, "", "/experiments?from=e1");
    const { result } = renderHook(() => useDraft(catalogue));
    await waitFor(() => expect(result.current.error).not.toBe(""));
    expect(result.current.work).toBeUndefined();
    act(() => navigate("/experiments"));
    expect([result.current.error, result.current.work?.draft.name]).toEqual(["", "d"]);
    act(() => navigate("/experiments?preset=none"));
    await waitFor(() => expect(result.current.error).toBe("There is no preset none."));
    act(() => navigate("/experiments?preset=demonstration"));
    await waitFor(() => expect(result.current.work?.origin).toBe("preset:demonstration"));
  });

  it("is opened once the server answers again", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
    window.history.replaceState(null, "", "/experiments?from=e1");
    const { result } = renderHook(() => useDraft(catalogue));
    await waitFor(() => expect(result.current.error).not.toBe(""));
    const spec = { name: "found", run: {}, grid: {}, seeds: [1] };
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(JSON.stringify({ spec }), { headers: { "content-type": "application/json" } })));
    act(() => reportAnswer(0));
    await waitFor(() => expect(result.current.work?.draft.name).toBe("found"));
    expect(result.current.error).toBe("");
  });
});
