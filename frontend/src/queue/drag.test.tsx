import { useRef } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { act, cleanup, render, screen } from "../testing";
import { Handle, useDrag } from "./drag";

const ROW_PX = 10;

beforeEach(() => {
  Element.prototype.setPointerCapture = () => undefined;
  vi.spyOn(Element.prototype, "getBoundingClientRect").mockImplementation(function (this: Element) {
    const place = [...document.querySelectorAll("[data-waiting]")].indexOf(this);
    return { top: place * ROW_PX, height: ROW_PX } as DOMRect;
  });
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

interface Props {
  order: string[];
  onDrop: (moved: string[], before: string | undefined) => void;
}

function List({ order, onDrop }: Props) {
  const body = useRef<HTMLTableSectionElement>(null);
  const drop = (moved: ReadonlySet<string>, at: number) => onDrop([...moved], order.filter((id) => !moved.has(id))[at]);
  const drag = useDrag(body, order, new Set(), drop);
  return (
    <table>
      <tbody ref={body} data-gap={drag.gap}>
        {order.map((id, place) => (
          <tr key={id} data-waiting={id}>
            <td>
              <Handle name={id} place={place} num={order.length} onPoint={(event) => drag.begin(event, id)} onMove={() => undefined} onCancel={() => undefined} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const point = (target: Element, type: string, clientY = 0) =>
  act(() => void target.dispatchEvent(new MouseEvent(type, { button: 0, clientY, bubbles: true })));
const gap = () => document.querySelector("tbody")?.dataset["gap"];

describe("dragging in the queue", () => {
  it("goes by the order of the moment in which it ends", () => {
    const onDrop = vi.fn();
    const { rerender } = render(<List order={["a", "b", "c", "d"]} onDrop={onDrop} />);
    const handle = screen.getByRole("button", { name: /Move d/ });
    point(handle, "pointerdown");
    rerender(<List order={["b", "c", "d"]} onDrop={onDrop} />); // "a" begins to train
    point(handle, "pointermove", 8);
    expect(gap()).toBe("1");
    point(handle, "pointerup", 8);
    expect(onDrop).toHaveBeenCalledExactlyOnceWith(["d"], "c");
  });

  it("ends when what is dragged begins to train", () => {
    const onDrop = vi.fn();
    const removed = vi.spyOn(document, "removeEventListener");
    const { rerender } = render(<List order={["a", "b", "c"]} onDrop={onDrop} />);
    const handle = screen.getByRole("button", { name: /Move a/ });
    point(handle, "pointerdown");
    point(handle, "pointermove", 25);
    rerender(<List order={["b", "c"]} onDrop={onDrop} />);
    expect(gap()).toBeUndefined();
    expect(removed.mock.calls.filter(([type]) => type === "keydown")).toHaveLength(1);
    point(document.body, "pointerup");
    expect(onDrop).not.toHaveBeenCalled();
  });
});
