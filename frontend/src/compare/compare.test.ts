// @vitest-environment node
import { describe, expect, it } from "vitest";
import type { Run } from "../api/types";
import { axisTitle, escapeHtml, type RunCurves } from "./figures";
import { groupRuns, pairedRatios, spreadOf } from "./groups";
import { labelRuns } from "./labels";
import { against, bestOf, formatPoints, hasOneTarget, METRICS, metricsOf, timeToTarget, type Metric } from "./metrics";
import { chooseColours, hashOf, NUM_COLOURS, stylesFrom } from "./styles";

const ids = (num: number) => Array.from({ length: num }, (_, i) => `run-${i}`);

describe("the looks of runs", () => {
  it("come from the id alone while nothing collides", () => {
    const colour = chooseColours(["run-7"], new Map()).get("run-7");
    expect(colour).toBe(hashOf("run-7") % NUM_COLOURS);
    expect(chooseColours(["run-7"], new Map()).get("run-7")).toBe(colour);
  });

  it("do not depend on the order in which runs are given", () => {
    const [forward, backward] = [ids(6), ids(6).toReversed()];
    expect(new Map([...chooseColours(forward, new Map())].toSorted())).toEqual(
      new Map([...chooseColours(backward, new Map())].toSorted()),
    );
  });

  it("give different colours to as many runs as there are colours", () => {
    for (let start = 0; start < 50; start += 1) {
      const set = Array.from({ length: NUM_COLOURS }, (_, i) => `r${start}-${i}`);
      expect(new Set(chooseColours(set, new Map()).values()).size).toBe(NUM_COLOURS);
    }
  });

  it("stay with a run once given, whatever it is compared with", () => {
    const first = chooseColours(ids(5), new Map());
    const later = chooseColours([...ids(5), "a", "b"], first);
    for (const id of ids(5)) expect(later.get(id)).toBe(first.get(id));
  });

  it("are never the same twice, even with many runs", () => {
    const many = ids(32);
    const styles = stylesFrom(many, chooseColours(many, new Map()));
    expect(new Set([...styles.values()].map(({ colour, marker }) => `${colour} ${marker}`)).size).toBeGreaterThan(28);
  });

  it("survive what somebody else left in the memory", () => {
    expect(chooseColours(["x"], new Map([["x", 99]])).get("x")).toBeLessThan(NUM_COLOURS);
  });
});

interface Given {
  id?: string;
  seed?: number;
  policy?: object;
  time?: number | null;
  outcome?: "completed" | "failed" | null;
  utilisation?: number | null;
  accuracy?: number;
  name?: string;
}

function makeRun({
  id = "r",
  seed = 1,
  policy = { name: "bsp" },
  time = 10,
  outcome = "completed",
  utilisation = 0.5,
  accuracy = 0.9,
  name = "Test",
}: Given): Run {
  return {
    id,
    name,
    spec: { name, seed, policy, stop: { target: { metric: "test_accuracy", value: 0.9 } } },
    summary: { time_to_target_s: time, outcome, duration_s: 55, utilisation, final_accuracy: accuracy },
  } as unknown as Run;
}

const metric = (key: string): Metric => {
  const found = METRICS.find((one) => one.key === key);
  if (!found) throw new Error(`no metric ${key}`);
  return found;
};

describe("what is compared", () => {
  it("takes a missed target as a bound, and a failed run as nothing", () => {
    expect(timeToTarget(makeRun({ time: null }))).toEqual({ value: 55, isBound: true });
    expect(timeToTarget(makeRun({ time: null, outcome: "failed" }))).toBeNull();
    expect(timeToTarget(makeRun({ time: null, outcome: null }))).toBeNull();
  });

  it("marks the best, in the direction of the metric", () => {
    const runs = [
      makeRun({ time: 10, utilisation: 0.5 }),
      makeRun({ time: 20, utilisation: 0.8 }),
      makeRun({ time: null }),
    ];
    expect(bestOf(metric("target"), runs)).toBe(10);
    expect(bestOf(metric("utilisation"), runs)).toBe(0.8);
    expect(bestOf(metric("target"), [makeRun({}), makeRun({})])).toBeNull();
    expect(bestOf(metric("target"), [makeRun({})])).toBeNull();
    expect(bestOf(metric("target"), [makeRun({}), makeRun({ time: null })])).toBe(10);
  });

  it("writes ratios, bounds and points", () => {
    const [ten, twenty, missed] = [
      makeRun({ time: 10 }),
      makeRun({ time: 20, accuracy: 0.95 }),
      makeRun({ time: null }),
    ];
    expect(against(metric("target"), twenty, ten)).toBe("2.00×");
    expect(against(metric("target"), missed, ten)).toBe("> 5.50×");
    expect(against(metric("target"), ten, missed)).toBe("< 0.182×");
    expect(against(metric("target"), missed, missed)).toBe("");
    expect(against(metric("accuracy"), twenty, ten)).toBe("+5.00 pt");
    expect(against(metric("utilisation"), makeRun({ utilisation: null }), ten)).toBe("");
    expect(against(metric("utilisation"), ten, makeRun({ utilisation: 0 }))).toBe("");
    expect(formatPoints(-0.001)).toBe("−0.10 pt");
  });

  it("has a column for forecasts where a run made some, and calls none the best", () => {
    const [one, two, silent] = [makeRun({}), makeRun({}), makeRun({})];
    one.summary.forecasts = { num: 100, coverage: 0.9, mean_error_share: 0.1, mean_width_share: 0.3 };
    two.summary.forecasts = { ...one.summary.forecasts, coverage: 0.85 };
    silent.summary.forecasts = null;
    const keys = (...runs: Run[]) => metricsOf(runs).map(({ key }) => key);
    expect(keys(silent)).not.toContain("coverage");
    expect(keys(silent, one)).toContain("coverage");
    expect(bestOf(metric("coverage"), [one, two, silent])).toBeNull();
    expect(against(metric("coverage"), two, one)).toBe("−5.00 pt");
    expect(against(metric("coverage"), silent, one)).toBe("");
  });

  it("knows whether the targets are one", () => {
    expect(hasOneTarget([makeRun({}), makeRun({})])).toBe(true);
    const other = makeRun({});
    other.spec.stop.target = { metric: "test_loss", value: 1 };
    expect(hasOneTarget([makeRun({}), other])).toBe(false);
  });
});

describe("repetitions", () => {
  const bsp = [1, 2, 3].map((seed) => makeRun({ id: `b${seed}`, seed, time: 20 * seed }));
  const ssp = [1, 2].map((seed) =>
    makeRun({ id: `s${seed}`, seed, policy: { name: "ssp", threshold: 3 }, time: 10 * seed }),
  );
  const [first, second] = groupRuns([...bsp, ...ssp]);

  it("are runs that differ in the seed alone", () => {
    expect(groupRuns([...bsp, ...ssp]).map(({ runs }) => runs.length)).toEqual([3, 2]);
  });

  it("have a mean and a range, without those that missed", () => {
    expect(spreadOf(metric("target"), [...bsp, makeRun({ time: null })])).toEqual({
      mean: 40,
      low: 20,
      high: 60,
      num: 3,
    });
    expect(spreadOf(metric("target"), [makeRun({ time: null })])).toBeNull();
  });

  it("are compared seed by seed", () => {
    if (!first || !second) throw new Error("there must be two groups");
    expect(pairedRatios(metric("target"), second, first)).toEqual({ mean: 0.5, low: 0.5, high: 0.5, num: 2 });
  });
});

describe("names of runs", () => {
  const runs = [
    makeRun({ id: "a", policy: { name: "ssp", threshold: 3 } }),
    makeRun({ id: "b", policy: { name: "predictive", alpha: 0.5 }, seed: 2 }),
  ];
  const differences = [
    { path: "policy.name", values: ["ssp", "predictive"] },
    { path: "policy.threshold", values: [3, null] },
    { path: "seed", values: [1, 2] },
  ];

  it("say what differs where the names do not", () => {
    expect([...labelRuns(runs, differences).values()]).toEqual(["ssp (threshold 3), seed 1", "predictive, seed 2"]);
  });

  it("are the names where those differ", () => {
    const named = runs.map((run, index) => ({ ...run, name: `Run ${index}` }));
    expect([...labelRuns(named, differences).values()]).toEqual(["Run 0", "Run 1"]);
  });

  it("come with an axis that says which seconds are virtual", () => {
    const runs = (...flags: boolean[]) => flags.map((isSimulated) => ({ isSimulated }) as RunCurves);
    expect(axisTitle("seconds", runs(false, false))).toBe("seconds");
    expect(axisTitle("seconds", runs(true, true))).toBe("seconds of virtual time (simulated)");
    expect(axisTitle("seconds", runs(true, false))).toBe("seconds, virtual ones of simulated runs");
    expect(axisTitle("iterations", runs(true, false))).toBe("iterations of all workers");
  });

  it("stand in figures as text", () => expect(escapeHtml("<b>&")).toBe("&lt;b&gt;&amp;"));
});
