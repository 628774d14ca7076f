import { act, cleanup, fireEvent, render, screen, waitFor } from "../testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FilterBox } from "./FilterBox";

const KEYS = [
  {
    key: "policy",
    type: "",
    operators: [":"],
    help: "Policy of the run.",
    example: "policy:ssp",
    values: ["ssp", "bsp"],
  },
  { key: "seed", type: "", operators: [":", ">="], help: "Seed.", example: "seed:1", values: [] },
];

const box = () => screen.getByRole<HTMLInputElement>("combobox");
const options = () => screen.queryAllByRole("option").map((option) => option.textContent);

function type(text: string) {
  act(() => box().focus());
  fireEvent.input(box(), { target: { value: text, selectionStart: text.length } });
}

describe("the filter's box", () => {
  beforeEach(() => {
    const answer = () =>
      Promise.resolve(
        new Response(JSON.stringify({ keys: KEYS, max_length: 2000 }), {
          headers: { "content-type": "application/json" },
        }),
      );
    vi.stubGlobal("fetch", vi.fn(answer));
  });

  afterEach(() => {
    vi.useRealTimers();
    cleanup();
  });

  it("completes by the keyboard, and sends at Enter", async () => {
    const onChange = vi.fn();
    render(<FilterBox filter="" fault={null} onChange={onChange} />);
    type("pol");
    await waitFor(() => expect(options()).toHaveLength(1));
    expect(box().getAttribute("aria-expanded")).toBe("true");
    fireEvent.keyDown(box(), { key: "Tab" });
    expect(box().value).toBe("policy:");
    await waitFor(() => expect(options()).toEqual(["ssp ", "bsp "]));
    fireEvent.keyDown(box(), { key: "ArrowDown" });
    fireEvent.keyDown(box(), { key: "ArrowDown" });
    expect(box().getAttribute("aria-activedescendant")).toMatch(/-1$/);
    fireEvent.keyDown(box(), { key: "Enter" });
    expect(box().value).toBe("policy:bsp ");
    expect(onChange).not.toHaveBeenCalled();
    fireEvent.keyDown(box(), { key: "Escape" });
    expect(options()).toEqual([]);
    fireEvent.keyDown(box(), { key: "Enter" });
    expect(onChange).toHaveBeenCalledExactlyOnceWith("policy:bsp");
  });

  it("sends what is typed after a pause, and follows the address", () => {
    vi.useFakeTimers();
    const onChange = vi.fn();
    const { rerender } = render(<FilterBox filter="" fault={null} onChange={onChange} />);
    type("seed:1");
    expect(onChange).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1000);
    expect(onChange).toHaveBeenCalledExactlyOnceWith("seed:1");
    rerender(<FilterBox filter="seed:1 policy:ssp" fault={null} onChange={onChange} />);
    expect(box().value).toBe("seed:1 policy:ssp");
  });

  it("does not undo at the end of a pause what was done in it", () => {
    vi.useFakeTimers();
    let view = { filter: "", selected: [] as string[] };
    const { rerender } = render(null);
    const show = (next: typeof view) => {
      view = next;
      rerender(<FilterBox filter={view.filter} fault={null} onChange={(filter) => show({ ...next, filter })} />);
    };
    show(view);
    type("seed:1");
    show({ ...view, selected: ["r1"] });
    act(() => void vi.advanceTimersByTime(1000));
    expect(view).toEqual({ filter: "seed:1", selected: ["r1"] });
  });

  it("underlines what is wrong, and says it", () => {
    const fault = { start: 7, end: 12, message: "The filter cannot be read." };
    const { container } = render(<FilterBox filter="seed:1 polcy:ssp" fault={fault} onChange={() => undefined} />);
    expect(container.querySelector("u")?.textContent).toBe("polcy");
    expect(screen.getByRole("alert").textContent).toBe("The filter cannot be read.");
    expect(box().getAttribute("aria-invalid")).toBe("true");
    type("seed:1 policy:ssp"); // another text: the fault was of the old one
    expect(container.querySelector("u")).toBeNull();
    expect(screen.queryByRole("alert")).toBeNull();
  });
});
