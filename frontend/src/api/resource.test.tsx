import { act, cleanup, renderHook } from "../testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "./client";
import { invalidate, putResource, useResource } from "./resource";

let numKeys = 0;
const newKey = () => `test/${(numKeys += 1)}`;
const wait = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

function setHidden(isHidden: boolean): void {
  vi.spyOn(document, "hidden", "get").mockReturnValue(isHidden);
  document.dispatchEvent(new Event("visibilitychange"));
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

describe("what is read from the server", () => {
  it("is asked for once by all who look, and shown at once to those who come later", async () => {
    const key = newKey();
    const fetcher = vi.fn(() => Promise.resolve({ num: 1 }));
    const first = renderHook(() => useResource(key, fetcher));
    const second = renderHook(() => useResource(key, fetcher));
    expect(first.result.current.isLoading).toBe(true);
    await wait(0);
    expect(first.result.current).toEqual({ data: { num: 1 }, error: undefined, isLoading: false });
    expect(second.result.current.data).toBe(first.result.current.data);
    expect(renderHook(() => useResource(key, fetcher)).result.current.data).toEqual({ num: 1 });
    expect(fetcher).toHaveBeenCalledTimes(1);
  });

  it("is asked for again in time, and draws only what has changed", async () => {
    const key = newKey();
    let num = 1;
    const fetcher = vi.fn(() => Promise.resolve({ num }));
    let draws = 0;
    const { result } = renderHook(() => {
      draws += 1;
      return useResource(key, fetcher, 1000);
    });
    await wait(0);
    const drawsBefore = draws;
    await wait(3000);
    expect(fetcher.mock.calls.length).toBeGreaterThanOrEqual(3);
    expect(draws).toBe(drawsBefore);
    num = 2;
    await wait(1100);
    expect(result.current.data).toEqual({ num: 2 });
  });

  it("is left alone while nobody sees the page, and after everybody has gone", async () => {
    const key = newKey();
    const fetcher = vi.fn(() => Promise.resolve(1));
    const { unmount } = renderHook(() => useResource(key, fetcher, 1000));
    await wait(0);
    setHidden(true);
    const before = fetcher.mock.calls.length;
    await wait(10_000);
    expect(fetcher.mock.calls.length).toBe(before);
    setHidden(false);
    await wait(0);
    expect(fetcher.mock.calls.length).toBe(before + 1);
    unmount();
    await wait(10_000);
    expect(fetcher.mock.calls.length).toBe(before + 1);
  });

  it("stays on the page while the connection is lost, and goes when the server says that it is not there", async () => {
    const key = newKey();
    let answer = () => Promise.resolve("kept");
    const { result } = renderHook(() => useResource(key, () => answer(), 1000));
    await wait(0);
    answer = () => Promise.reject(new ApiError(0, "no answer"));
    await wait(1100);
    expect(result.current).toMatchObject({ data: "kept", error: { message: "no answer" } });
    answer = () => Promise.reject(new ApiError(404, "there is no such run"));
    await wait(1100);
    expect(result.current).toMatchObject({ data: undefined, error: { status: 404 }, isLoading: false });
    answer = () => Promise.resolve("kept");
    await wait(1100);
    expect(result.current).toEqual({ data: "kept", error: undefined, isLoading: false });
  });

  it("is asked for once more when it stops being live", async () => {
    const key = newKey();
    const fetcher = vi.fn(() => Promise.resolve(1));
    const { rerender } = renderHook(({ everyMs }) => useResource(key, fetcher, everyMs), { everyMs: 1000 });
    await wait(0);
    rerender({ everyMs: 0 });
    await wait(10);
    expect(fetcher).toHaveBeenCalledTimes(2);
    await wait(60_000);
    expect(fetcher).toHaveBeenCalledTimes(2);
  });

  it("can be put in place, and an answer that is under way does not undo it", async () => {
    const key = newKey();
    let finish: (value: string) => void = () => undefined;
    const { result } = renderHook(() => useResource(key, () => new Promise<string>((resolve) => (finish = resolve))));
    act(() => putResource<string>(key, () => "mine"));
    finish("older");
    await wait(0);
    expect(result.current.data).toBe("mine");
  });

  it("is asked for at once when something has changed it", async () => {
    const key = newKey();
    const fetcher = vi.fn(() => Promise.resolve(1));
    renderHook(() => useResource(key, fetcher));
    await wait(0);
    act(() => invalidate(key));
    await wait(0);
    expect(fetcher).toHaveBeenCalledTimes(2);
  });
});
