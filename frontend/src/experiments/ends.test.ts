import { expect, it } from "vitest";
import { otherEnds } from "./ExperimentPage";

const runs = (...states: ("completed" | "failed" | "stopped" | "running")[]) => states.map((state) => ({ state }));

it("an experiment says how many of its runs did not end as was asked for", () => {
  expect(otherEnds(runs("completed", "running"))).toBe("");
  expect(otherEnds(runs("stopped", "failed", "completed", "stopped"))).toBe(": 1 failed, 2 stopped");
});
