import { afterEach, describe, expect, it, vi } from "vitest";
import { cleanup, render, screen } from "../testing";
import { useKeys } from "./keys";

afterEach(cleanup);

function Page({ act, slide }: { act: () => void; slide: () => void }) {
  useKeys("Play back", { " ": { label: "Play", run: act }, w: { label: "Zoom in", run: slide } });
  return (
    <>
      <button type="button">Stop</button>
      <label>
        <input type="checkbox" /> bsp
      </label>
      <a href="/runs">History</a>
      <p tabIndex={-1}>Text</p>
    </>
  );
}

function press(target: Element, key: string): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
  return event;
}

describe("the keys of a page", () => {
  it("leave Space and Enter to what is used by them", () => {
    const act = vi.fn();
    const slide = vi.fn();
    render(<Page act={act} slide={slide} />);
    for (const role of ["button", "checkbox", "link"]) {
      expect(press(screen.getByRole(role), " ").defaultPrevented).toBe(false);
      press(screen.getByRole(role), "w");
    }
    expect([act.mock.calls.length, slide.mock.calls.length]).toEqual([0, 3]);
    expect(press(screen.getByText("Text"), " ").defaultPrevented).toBe(true);
    expect(act).toHaveBeenCalledTimes(1);
  });
});
