import { act, cleanup, fireEvent, render, screen } from "../testing";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { toast, Toasts } from "./Toasts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  act(() => void vi.runAllTimers());
  cleanup();
  vi.useRealTimers();
});

it("shows a notice in a polite region and takes it away after its time", () => {
  render(<Toasts />);
  const region = screen.getByRole("status");
  expect(region.getAttribute("aria-live")).toBe("polite");
  act(() => void toast({ text: "The draft was kept.", seconds: 3 }));
  expect(region.textContent).toContain("The draft was kept.");
  act(() => void vi.advanceTimersByTime(2900));
  expect(region.textContent).toContain("The draft was kept.");
  act(() => void vi.advanceTimersByTime(200));
  expect(region.textContent).toBe("");
});

it("does not go while the pointer is on it, and then has the rest of its time", () => {
  render(<Toasts />);
  act(() => void toast({ text: "One run was deleted.", seconds: 2 }));
  act(() => void vi.advanceTimersByTime(1500));
  fireEvent.pointerEnter(screen.getByRole("status"));
  act(() => void vi.advanceTimersByTime(60_000));
  expect(screen.getByText("One run was deleted.")).toBeTruthy();
  fireEvent.pointerLeave(screen.getByRole("status"));
  act(() => void vi.advanceTimersByTime(400));
  expect(screen.queryByText("One run was deleted.")).not.toBeNull();
  act(() => void vi.advanceTimersByTime(200));
  expect(screen.queryByText("One run was deleted.")).toBeNull();
});

it("runs its action once, by click or by the key z, and goes", () => {
  const undo = vi.fn();
  render(<Toasts />);
  act(() => void toast({ text: "Deleted.", action: { label: "Undo", run: undo } }));
  fireEvent.click(screen.getByRole("button", { name: /Undo/ }));
  expect(undo).toHaveBeenCalledTimes(1);
  expect(screen.queryByText("Deleted.")).toBeNull();
  act(() => void toast({ text: "Deleted again.", action: { label: "Undo", run: undo } }));
  fireEvent.keyDown(document.body, { key: "z" });
  expect(undo).toHaveBeenCalledTimes(2);
  expect(screen.queryByText("Deleted again.")).toBeNull();
  fireEvent.keyDown(document.body, { key: "z" });
  expect(undo).toHaveBeenCalledTimes(2);
});

it("keeps the newest four, and can be taken away by who showed it", () => {
  render(<Toasts />);
  const takeAway: (() => void)[] = [];
  act(() => {
    for (const text of ["one", "two", "three", "four", "five"]) takeAway.push(toast({ text }));
  });
  expect(screen.queryByText("one")).toBeNull();
  expect(screen.getByText("five")).toBeTruthy();
  act(() => takeAway[4]?.());
  expect(screen.queryByText("five")).toBeNull();
});
