import { describe, expect, it } from "vitest";
import type { Run } from "../api/types";
import { describeChanges } from "./PolicyLine";

const change = (at_s: number, path: string, before: unknown, after: unknown) => ({
  seq: at_s,
  at_s,
  settings: [{ path, before, after }],
});
const retuned = (...all: [string, unknown, unknown][]): Run["retuned"] =>
  all.map(([path, at_start, in_force]) => ({ path, at_start, in_force }));

describe("what was changed while a run trained", () => {
  it("is told with the time of the last change", () => {
    const changes = [change(12, "policy.threshold", 3, 8), change(41, "policy.threshold", 8, 5)];
    expect(describeChanges(retuned(["policy.threshold", 3, 5]), { changes })[0]?.replaceAll("\u202f", " ")).toBe(
      "threshold 3 → 5 (changed at 41.0 s)",
    );
  });

  it("is told without a time while that is not known", () => {
    expect(describeChanges(retuned(["forecaster.window", 8, 12]), undefined)).toEqual(["forecaster window 8 → 12"]);
  });

  it("names another forecaster, not all its settings", () => {
    const changes = [change(2, "forecaster", { name: "timing" }, { name: "ewma" })];
    const told = describeChanges(
      retuned(["forecaster.name", "timing", "ewma"], ["forecaster.weight", null, 0.1], ["policy.alpha", null, 0.5]),
      { changes },
    );
    expect(told.map((one) => one.replaceAll("\u202f", " "))).toEqual([
      "forecaster timing → ewma (changed at 2.00 s)",
      "alpha none → 0.5",
    ]);
  });
});
