import { describe, expect, it } from "vitest";
import { bySetting, nameSettings } from "./settings";

const run = (low_s: number, high_s: number | null) => ({
  name: "Thresholds",
  policy: "ssp",
  low_s,
  high_s,
  num_iterations: null,
  basis: "a simulation",
});

describe("the settings of a grid", () => {
  it("are named by what varies, in the order of the queue", () =>
    expect(nameSettings({ policy: [{ name: "bsp" }, { name: "asp" }], "task.learning_rate": [0.1, 0.2] }, null)).toEqual([
      "bsp, learning rate 0.1",
      "bsp, learning rate 0.2",
      "asp, learning rate 0.1",
      "asp, learning rate 0.2",
    ]));

  it("have one prediction each, over their seeds", () => {
    const names = nameSettings({ "policy.threshold": [0, 3] }, null);
    expect(bySetting([run(2, 5), run(1, 4), run(3, 8), run(3, null)], names)).toEqual([
      { name: "threshold 0", low_s: 1, high_s: 5, basis: "a simulation" },
      { name: "threshold 3", low_s: 3, high_s: null, basis: "a simulation" },
    ]);
  });

  it("give a single setting the name of its policy", () =>
    expect(bySetting([run(1, 2), run(1, 3)], nameSettings({}, null))).toMatchObject([{ name: "ssp", high_s: 3 }]));

  it("leave a prediction alone that was made for another grid", () =>
    expect(bySetting([run(1, 2), run(1, 3), run(2, 2)], ["a", "b"]).map(({ name }) => name)).toEqual(["ssp", "ssp", "ssp"]));
});
