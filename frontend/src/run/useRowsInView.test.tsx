import { act, cleanup, render, screen } from "../testing";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useRowsInView } from "./useRowsInView";

const ROW_PX = 20;

function Box({ numRows, isWhole }: { numRows: number; isWhole: boolean }) {
  const { box, first, last, rowPx } = useRowsInView(numRows, isWhole);
  return (
    <div ref={box} data-testid="box" data-seen={`${first} ${last} ${rowPx}`}>
      <table>
        <tbody>
          <tr data-row />
        </tbody>
      </table>
    </div>
  );
}

function show(numRows: number, isWhole = false) {
  const { rerender } = render(<Box numRows={numRows} isWhole={isWhole} />);
  const box = screen.getByTestId("box");
  Object.defineProperty(box, "clientHeight", { value: 400 });
  const seen = () => box.dataset["seen"];
  const scroll = (px: number) =>
    act(() => {
      box.scrollTop = px;
      box.dispatchEvent(new Event("scroll"));
    });
  return { seen, scroll, rerender };
}

beforeEach(() => {
  vi.stubGlobal("requestAnimationFrame", (draw: FrameRequestCallback) => {
    draw(0);
    return 0;
  });
  vi.spyOn(Element.prototype, "getBoundingClientRect").mockReturnValue({ height: ROW_PX } as DOMRect);
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

it("draws the first rows, then those around what is seen, by the height that a row has", () => {
  const { seen, scroll } = show(500);
  expect(seen()).toBe("0 32 28");
  scroll(2000); // 100 rows down, 20 are seen
  expect(seen()).toBe("88 132 20");
  scroll(2060); // three rows further: what is spare is enough
  expect(seen()).toBe("88 132 20");
  scroll(2400);
  expect(seen()).toBe("108 152 20");
});

it("keeps to the rows that there are", () => {
  const { seen, scroll, rerender } = show(500);
  scroll(9600);
  expect(seen()).toBe("468 500 20");
  rerender(<Box numRows={10} isWhole={false} />);
  expect(seen()).toBe("9 10 20");
});

it("draws all of them where the whole is asked for", () => expect(show(500, true).seen()).toBe("0 500 28"));
