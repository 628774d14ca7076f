import { expect, it } from "vitest";
import { fit, widthOf } from "./frame";

/** A context in which every letter is as wide as the font is high, and which counts how often it is asked. */
function context(size: number) {
  const asked: string[] = [];
  const ctx = {
    font: `${size}px test`,
    measureText: (text: string) => {
      asked.push(text);
      return { width: text.length * size };
    },
  } as unknown as CanvasRenderingContext2D;
  return { ctx, asked };
}

it("measures a text once in each font", () => {
  const { ctx, asked } = context(7);
  expect([widthOf(ctx, "worker 3"), widthOf(ctx, "worker 3")]).toEqual([56, 56]);
  expect(asked).toEqual(["worker 3"]);
  const other = context(9);
  expect(widthOf(other.ctx, "worker 3")).toBe(72);
});

it("forgets what it has measured before that is too much, and goes on to be right", () => {
  const { ctx, asked } = context(11);
  for (let i = 0; i < 4_100; i += 1) widthOf(ctx, `text ${i}`);
  expect(widthOf(ctx, "text 0")).toBe(66);
  expect(asked.filter((text) => text === "text 0")).toHaveLength(2);
});

it("shortens a text until it fits, and gives none rather than a letter", () => {
  const { ctx } = context(10);
  expect(fit(ctx, "waits for worker 1", 180)).toBe("waits for worker 1");
  expect(fit(ctx, "waits for worker 1", 110)).toBe("waits for…"); // without the space before the dots
  expect(fit(ctx, "waits", 20)).toBe("");
});
