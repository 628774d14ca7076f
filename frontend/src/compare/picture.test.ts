// @vitest-environment node
import { describe, expect, it } from "vitest";
import { markedPoints } from "./draw";
import { axisTitle, curvesPicture, markOf, percentMark, translucent, type Colours, type Line } from "./figures";
import { closest, evenMarks, logMarks, rangesOf, stepOf, type Axis, type Picture } from "./picture";

const colours: Colours = { ink: "#000000", quiet: "", line: "", surface: "", runs: ["#102030"] };
const evaluations = { at_s: [1, 2], version: [1, 2], iterations: [8, 16], loss: [2, 1], accuracy: [0.1, 0.2] };
const band = { x: [1], mean: [1.5], low: [1], high: [2] };
const bands = { run_ids: ["a"], loss_over_seconds: band, loss_over_iterations: null, accuracy_over_seconds: null, accuracy_over_iterations: null };
const line: Line = { id: "a", label: "<b>A", style: { colour: 1, dash: "dot", marker: "circle" }, evaluations, bands, isSimulated: false };

describe("the curves of a comparison", () => {
  it("have an axis that says which seconds are virtual", () => {
    const runs = (...flags: boolean[]) => flags.map((isSimulated) => ({ isSimulated }) as Line);
    expect(axisTitle("seconds", runs(false, false))).toBe("seconds");
    expect(axisTitle("seconds", runs(true, true))).toBe("seconds of virtual time (simulated)");
    expect(axisTitle("seconds", runs(true, false))).toBe("seconds, virtual ones of simulated runs");
    expect(axisTitle("iterations", runs(true, false))).toBe("iterations of all workers");
  });

  it("are drawn with a band where there is one, else as the run's own", () => {
    const seconds = curvesPicture([line], "loss", "seconds", 0.7, colours);
    expect(seconds.bands).toMatchObject([{ x: [1], low: [1], high: [2], edge: null }]);
    expect(seconds.traces).toMatchObject([{ x: [1], y: [1.5], line: { dash: "dot" }, marker: { symbol: "circle" } }]);
    expect(seconds.level).toEqual({ at: 0.7, word: "target" });
    const iterations = curvesPicture([line], "loss", "iterations", null, colours);
    expect(iterations).toMatchObject({ bands: [], traces: [{ x: [8, 16], y: [2, 1] }], level: null });
    expect(curvesPicture([{ ...line, evaluations: null, bands: null }], "loss", "seconds", null, colours).traces).toEqual([]);
  });

  it("have paler bands with edges the more there are, and no markers where nobody could see them", () => {
    const many = curvesPicture(Array<Line>(10).fill(line), "loss", "seconds", null, colours);
    expect(many.bands.every(({ fill, edge }) => fill.endsWith(",0.06)") && edge !== null)).toBe(true);
    expect(many.traces.every(({ marker }) => marker !== null)).toBe(true);
    expect(curvesPicture(Array<Line>(31).fill(line), "loss", "seconds", null, colours).traces.every(({ marker }) => marker === null)).toBe(true);
    expect(translucent("#102030", 0.2)).toBe("rgba(16,32,48,0.2)");
    expect(translucent("red", 0.2)).toBe("rgba(128,128,128,0.2)");
  });

  it("mark a few points each, and not all the same", () => {
    expect(markedPoints(3, 7)).toEqual([0, 1, 2]);
    expect(markedPoints(80, 0)).toEqual([0, 10, 20, 30, 40, 50, 60, 70]);
    expect(markedPoints(80, 13)).toEqual([3, 13, 23, 33, 43, 53, 63, 73]);
    expect(markedPoints(0, 1)).toEqual([]);
  });
});

const axis: Axis = { title: "", isLog: false, fromZero: false, mark: markOf, say: String };
const trace = (x: number[], y: (number | null)[]) => ({ label: "", colour: "", x, y, line: null, marker: null });
const picture = (x: number[], y: (number | null)[], changes: Partial<Axis> = {}): Picture => ({
  bands: [],
  traces: [trace(x, y)],
  x: { ...axis, fromZero: true },
  y: { ...axis, ...changes },
  level: null,
});

describe("the axes of a picture", () => {
  it("hold everything that is drawn, with some room", () => {
    const { x, y } = rangesOf({ ...picture([10, 20], [1, null]), bands: [{ x: [30], low: [0.5], high: [3], fill: "", edge: null }] });
    expect(x[0]).toBe(0);
    expect(x[1]).toBeGreaterThan(30);
    expect(y[0]).toBeLessThan(0.5);
    expect(y[1]).toBeGreaterThan(3);
    const withInterval = { ...picture([1], [1]), traces: [{ ...trace([1], [1]), interval: [0.5, 9] as const }] };
    expect(rangesOf(withInterval).y[1]).toBeGreaterThan(9);
  });

  it("are never empty, and logarithmic ones never at zero", () => {
    for (const values of [[], [null], [5], [0], [-3], [NaN, Infinity]]) {
      for (const isLog of [false, true]) {
        const [least, most] = rangesOf(picture(values.map((_, i) => i), values, { isLog })).y;
        expect(most).toBeGreaterThan(least);
        if (isLog) expect(least).toBeGreaterThan(0);
      }
    }
  });

  it("have marks at round numbers", () => {
    expect(evenMarks([0, 93.6], 5)).toEqual([0, 20, 40, 60, 80]);
    expect(evenMarks([0.1, 0.32], 4)).toEqual([0.1, 0.2, 0.3]);
    expect(evenMarks([-1, 1], 4)).toEqual([-1, -0.5, 0, 0.5, 1]);
    expect(logMarks([0.018, 2.5], 6)).toEqual([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]);
    expect(logMarks([1.6, 2.4], 5)).toEqual([1.6, 1.8, 2, 2.2, 2.4]); // 1, 2 and 5 alone would leave one mark
    expect(logMarks([1e-9, 1], 5).length).toBeLessThanOrEqual(10);
    expect(logMarks([1e-60, 1], 5).length).toBeLessThanOrEqual(11);
  });

  it("have marks with as many digits as their distance needs", () => {
    expect([0, 0.5, 1].map((value, _, all) => markOf(value, stepOf(all)))).toEqual(["0.0", "0.5", "1.0"]);
    expect(markOf(-20, 20)).toBe("−20");
    expect(percentMark(0.125, 0.005)).toBe("12.5%");
    expect(percentMark(0.6, 0.2)).toBe("60%");
  });
});

describe("the point under the pointer", () => {
  const same = (value: number) => value;

  it("is the closest that is drawn", () => {
    const found = closest({ ...picture([0, 10], [0, 5]), traces: [trace([0, 10], [0, 5]), trace([10, 11], [9, null])] }, { left: 9, top: 8 }, 20, same, same);
    expect(found).toMatchObject({ trace: 1, point: 0 });
  });

  it("is none where none is near", () => {
    expect(closest(picture([0, 10], [0, 5]), { left: 50, top: 50 }, 20, same, same)).toBeNull();
    expect(closest(picture([0], [null]), { left: 0, top: 0 }, 20, same, same)).toBeNull();
    expect(closest(picture([], []), { left: 0, top: 0 }, 20, same, same)).toBeNull();
  });
});
