import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { act, cleanup, renderHook } from "../testing";
import { currentQuery, currentUrl, navigate, useLocation } from "./router";

const written = () => window.location.pathname + window.location.search;

beforeAll(() => {
  vi.useFakeTimers(); // one clock: the router remembers when it wrote last
  window.scrollTo = () => undefined;
});
afterAll(() => void vi.useRealTimers());
beforeEach(() => {
  navigate("/compare?runs=a,b");
  vi.advanceTimersByTime(1000);
});
afterEach(cleanup);

describe("the address while something is dragged", () => {
  it("is known at once and written no faster than browsers allow", () => {
    const replace = vi.spyOn(window.history, "replaceState");
    const { result } = renderHook(useLocation);
    for (let i = 0; i < 600; i++) {
      act(() => navigate(`/compare?runs=a,b&brush=${i}`, { replace: true }));
      expect(currentQuery().get("brush")).toBe(String(i));
      vi.advanceTimersByTime(16);
    }
    expect(replace.mock.calls.length).toBeGreaterThan(25);
    expect(replace.mock.calls.length).toBeLessThan(33); // in 9.6 s
    vi.advanceTimersByTime(1000);
    expect(written()).toBe("/compare?runs=a,b&brush=599");
    expect(result.current.query.get("brush")).toBe("599");
  });

  it("is written before it is left, by a step, another page or a reload", () => {
    const drag = (to: string) => {
      navigate("/compare?brush=1", { replace: true });
      navigate(to, { replace: true });
      expect(written()).toBe("/compare?brush=1");
    };
    drag("/compare?brush=2");
    const pushed = vi.spyOn(window.history, "pushState").mockImplementation(() => expect(written()).toBe("/compare?brush=2"));
    navigate("/runs");
    expect(pushed).toHaveBeenCalledTimes(1);
    pushed.mockRestore();
    vi.advanceTimersByTime(1000);
    renderHook(useLocation); // who shows it listens
    drag("/compare?brush=3");
    window.dispatchEvent(new Event("pagehide"));
    expect(written()).toBe("/compare?brush=3");
    vi.advanceTimersByTime(1000);
    drag("/compare?brush=4");
    navigate("/runs?selected=a", { replace: true });
    expect(written()).toBe("/runs?selected=a");
  });

  it("gives way to the browser's own steps", () => {
    renderHook(useLocation);
    navigate("/compare?brush=1", { replace: true });
    navigate("/compare?brush=2", { replace: true });
    window.dispatchEvent(new PopStateEvent("popstate"));
    expect(currentUrl()).toBe("/compare?brush=1");
    vi.advanceTimersByTime(1000);
    expect(written()).toBe("/compare?brush=1");
  });
});
