// @vitest-environment node
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Comparison, Run } from "../api/types";
import { fieldAt, readSchema, type JsonSchema } from "../form/schema";
import { groupsOf, tally, verdictOf } from "./groups";
import { labelRuns } from "./labels";
import { against, bestOf, formatPoints, hasOneTarget, METRICS, metricsOf, timeToTarget, type Metric } from "./metrics";
import { axesOf, isInside, readBrushes, writeBrushes } from "./parallel";
import { chooseColours, hashOf, NUM_COLOURS, styleRuns, styleSettings, stylesFrom } from "./styles";

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

  it("differ where both runs were given the same, each in another comparison", () => {
    const both = chooseColours(["a", "b"], new Map([["a", 3], ["b", 3]]));
    expect(both.get("a")).toBe(3);
    expect(both.get("b")).not.toBe(3);
  });

  it("are those of a setting, too, where it has one run; else it has a colour for itself", () => {
    const runs = styleRuns(["a", "b", "c"]);
    const settings = styleSettings(
      [
        { id: "c", run_ids: ["c"] },
        { id: "a", run_ids: ["a", "b"] },
      ],
      runs,
    );
    expect(settings.get("c")).toEqual(runs.get("c"));
    expect(settings.get("a")?.colour).not.toBe(settings.get("c")?.colour);
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
  const spec = { name, seed, policy, stop: { target: { metric: "test_accuracy", value: 0.9 } } };
  return {
    id,
    name,
    spec,
    spec_in_force: spec,
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

const spread = (mean: number | null, num_bounds = 0) => ({ num: mean === null ? 0 : 1, num_bounds, mean, low: null, high: null, least: mean, most: mean });
const pairs = (centre: number | null, low: number | null = null, high: number | null = null) => ({
  num_pairs: centre === null ? 0 : 3,
  centre,
  low,
  high,
  effect: null,
  num_better: centre !== null && centre < 1 ? 3 : 0,
  num_worse: centre !== null && centre < 1 ? 0 : 3,
});

/** A comparison with a group of one run for each policy; the first is the baseline. */
function compared(times: Record<string, { mean: number | null; against?: ReturnType<typeof pairs> }>): Comparison {
  const names = Object.keys(times);
  return {
    runs: names.map((name) => ({ ...makeRun({ id: name, policy: { name } }), experiment_name: "E" })),
    differences: [{ path: "policy.name", values: names }],
    groups: names.map((name, index) => ({
      run_ids: [name],
      seeds: [1],
      metrics: { time_to_target_s: spread(times[name]?.mean ?? null, times[name]?.mean === null ? 1 : 0) },
      against: index === 0 ? {} : { time_to_target_s: times[name]?.against ?? null },
    })),
  };
}

describe("settings over their seeds", () => {
  it("stand in the order of their times, those that missed the target last", () => {
    const groups = groupsOf(compared({ slow: { mean: 20 }, missed: { mean: null }, fast: { mean: 10 } }), null);
    expect(groups.map(({ name }) => name)).toEqual(["fast", "slow", "missed"]);
    expect(groups.map(({ isBaseline }) => isBaseline)).toEqual([false, true, false]);
  });

  it("say who wins, by how much, and how sure it is", () => {
    const say = (against: ReturnType<typeof pairs>) =>
      verdictOf(groupsOf(compared({ ssp: { mean: 20 }, foresync: { mean: 10, against } }), null));
    expect(say(pairs(0.5, 0.4, 0.6))).toBe(
      "foresync reaches the target first, in 0.500× the time of ssp (95% interval 0.400× to 0.600×, 3 common seeds).",
    );
    expect(say(pairs(0.9, 0.7, 1.1))).toContain("includes no difference at all");
    expect(say(pairs(0.9))).toContain("may be chance");
  });

  it("say so where the baseline wins, or nobody else arrives", () => {
    const base = { mean: 5 };
    expect(verdictOf(groupsOf(compared({ ssp: base, bsp: { mean: 10, against: pairs(2, 1.8, 2.2) } }), null))).toBe(
      "ssp reaches the target first; bsp needs 2.00× its time (95% interval 1.80× to 2.20×, 3 common seeds).",
    );
    expect(verdictOf(groupsOf(compared({ ssp: base, bsp: { mean: null, against: pairs(null) } }), null))).toContain("the only setting");
    expect(verdictOf(groupsOf(compared({ ssp: base }), null))).toBe("");
    expect(verdictOf(groupsOf(compared({ ssp: { mean: null }, bsp: { mean: 10 } }), null))).toBe("bsp reaches the target; ssp does not in the time it had.");
    expect(verdictOf(groupsOf(compared({ ssp: { mean: null }, bsp: { mean: null } }), null))).toBe("");
  });

  it("say nothing that the runs do not tell", () => {
    const verdict = (comparison: Comparison) => verdictOf(groupsOf(comparison, null));
    const isTraining = (comparison: Comparison, name: string) => {
      const group = comparison.groups.find(({ run_ids }) => run_ids[0] === name);
      if (group) group.metrics = { time_to_target_s: null };
      return comparison;
    };
    expect(verdict(isTraining(compared({ ssp: { mean: null }, bsp: { mean: 10 } }), "ssp"))).toBe("");
    expect(verdict(isTraining(compared({ ssp: { mean: 5 }, bsp: { mean: null } }), "bsp"))).toBe("");
    const other = "no seed was run with both";
    expect(verdict(compared({ ssp: { mean: 13 }, foresync: { mean: 2 } }))).toBe(`foresync reaches the target first on average; ${other} foresync and ssp.`);
    expect(verdict(compared({ ssp: { mean: 2 }, foresync: { mean: 13 } }))).toBe(`ssp reaches the target first on average; ${other} ssp and foresync.`);
    expect(verdict(compared({ ssp: { mean: 10 }, bsp: { mean: 12, against: pairs(0.963) } }))).toBe(""); // means and pairs contradict each other
    expect(verdict(compared({ ssp: { mean: 12 }, bsp: { mean: 10, against: pairs(1.2) } }))).toBe("");
  });

  it("count a pair that was decided by a missed target", () => {
    expect(tally({ ...pairs(null), num_better: 2, num_worse: 1 })).toBe("better in 2 of 3");
  });
});

describe("parallel coordinates", () => {
  const comparison: Comparison = {
    ...compared({ ssp: { mean: 20 }, bsp: { mean: 10 }, asp: { mean: 5 } }),
    differences: [
      { path: "policy.name", values: ["ssp", "bsp", "asp"] },
      { path: "policy.threshold", values: [3, null, 1] },
      { path: "task.learning_rate", values: [0.001, 0.01, 1] },
    ],
  };
  const axes = axesOf(comparison);
  const places = (key: string) => axes.find((axis) => axis.key === key)?.places;

  it("put words evenly, numbers to scale, and many magnitudes on a logarithmic one", () => {
    expect(places("policy.name")).toEqual([1, 0.5, 0]);
    expect(places("policy.threshold")).toEqual([1, null, 0]);
    expect(places("task.learning_rate")?.[1]).toBeCloseTo(1 / 3);
  });

  it("leave out figures that all share", () => expect(axes.map(({ key }) => key)).not.toContain("utilisation"));

  it("let through what lies within every brush", () => {
    const brushes = new Map<string, readonly [number, number]>([["policy.name", [0.4, 1]]]);
    expect(isInside(axes, brushes, 3)).toEqual([true, true, false]);
    expect(isInside(axes, new Map([...brushes, ["policy.threshold", [0, 1]]]), 3)).toEqual([true, false, false]);
    expect(isInside(axes, new Map(), 3)).toEqual([true, true, true]);
  });

  it("come back from the address as they were", () => {
    const brushes = new Map<string, readonly [number, number]>([
      ["policy.name", [0, 0.5]],
      ["a,b c", [0.25, 0.75]],
    ]);
    expect(readBrushes(writeBrushes(brushes))).toEqual(brushes);
    expect(readBrushes("x~2~3,y~0.5~0.1,~0~1,z,%E0%A4%A~0~1").size).toBe(1);
    expect(writeBrushes(new Map())).toBeNull();
  });
});

/** The policies of the real schema, as the API describes it. */
const document = JSON.parse(readFileSync("openapi.json", "utf8")) as { components: { schemas: Record<string, JsonSchema> } };
const { schemas } = document.components;
const union = fieldAt(readSchema({ ...schemas["RunSpecInput"], $defs: schemas }), "policy");
if (union?.kind !== "union") throw new Error("the policy of a spec must be a union");

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
    expect([...labelRuns(runs, differences, union).values()]).toEqual(["ssp (threshold 3), seed 1", "predictive, seed 2"]);
    const both = [...runs, makeRun({ id: "c", policy: { name: "ssp", threshold: 1 } })];
    const more = differences.map((one) => ({ ...one, values: [...one.values, one.path === "seed" ? 1 : one.path === "policy.name" ? "ssp" : 1] }));
    expect([...labelRuns(both, more, union).values()]).toEqual(["ssp (threshold 3), seed 1", "predictive, seed 2", "ssp (threshold 1), seed 1"]);
  });

  it("say each setting in which runs of one policy differ, also a default", () => {
    const dssp = (id: string, high: number) => makeRun({ id, policy: { name: "dssp", threshold_high: high } });
    const two = [dssp("a", 12), dssp("b", 20)];
    const labels = labelRuns(two, [{ path: "policy.threshold_high", values: [12, 20] }], union);
    expect([...labels.values()]).toEqual(["dssp (threshold high 12)", "dssp (threshold high 20)"]);
  });

  it("are the names where those differ", () => {
    const named = runs.map((run, index) => ({ ...run, name: `Run ${index}` }));
    expect([...labelRuns(named, differences, null).values()]).toEqual(["Run 0", "Run 1"]);
  });
});
