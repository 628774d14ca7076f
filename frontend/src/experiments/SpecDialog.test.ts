import { expect, it } from "vitest";
import { fileName, fileOf, whyUnwritten } from "./SpecDialog";

it("leaves out of the file what the grid overrules", () => {
  const draft = {
    name: "A",
    run: { policy: { name: "ssp", threshold: 3 }, task: { batch_size: 32, model: "mlp" }, seed: 1 },
    grid: { policy: [{ name: "bsp" }], "task.batch_size": [16, 32] },
    seeds: "1, 2",
  };
  expect(fileOf(draft)).toEqual({ name: "A", run: { task: { model: "mlp" } }, grid: draft.grid, seeds: [1, 2] });
  expect(draft.run.policy.threshold).toBe(3);
});

it("says in words why a form cannot be written down", () =>
  expect(whyUnwritten([{ field: "seeds", value: "1-", wish: "must be whole numbers, got 1-" }])).toBe(
    "The form cannot be written down yet: Seeds must be whole numbers, got 1-. You can still paste or open other settings.",
  ));

it.each([
  ["Which threshold?", "which-threshold"],
  ["  ../Übung 1 ", "u-bung-1"],
  ["???", "experiment"],
])("calls the file of %j %s", (name, file) => expect(fileName(name)).toBe(file));
