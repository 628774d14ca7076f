import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FrameLoop } from "./frames";

let asked: FrameRequestCallback[] = [];

beforeEach(() => {
  asked = [];
  vi.stubGlobal("requestAnimationFrame", (callback: FrameRequestCallback) => asked.push(callback));
});

afterEach(() => vi.unstubAllGlobals());

function runFrame(): void {
  const [first] = asked.splice(0, 1);
  first?.(0);
}

it("paints what is late, and tells it, in the frame after the lanes were painted", () => {
  const seen: string[] = [];
  const loop = new FrameLoop();
  loop.whenOpen(() => seen.push("told"));
  loop.add(() => {
    seen.push("late");
    return false;
  }, true);
  let isKnown = false;
  loop.add(() => {
    seen.push("lanes");
    if (isKnown) loop.open();
    return false;
  });
  runFrame();
  expect(seen).toEqual(["lanes"]);
  isKnown = true;
  loop.request();
  runFrame();
  expect(seen).toEqual(["lanes", "lanes"]);
  runFrame();
  expect(seen).toEqual(["lanes", "lanes", "lanes", "late", "told"]);
  expect(asked).toEqual([]);
});

it("tells at once who comes later, and forgets who went", () => {
  const loop = new FrameLoop();
  const gone = vi.fn();
  loop.whenOpen(gone)();
  loop.open();
  runFrame();
  const late = vi.fn();
  loop.whenOpen(late);
  expect(late).toHaveBeenCalledOnce();
  expect(gone).not.toHaveBeenCalled();
});
