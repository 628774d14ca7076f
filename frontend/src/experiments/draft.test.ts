// @vitest-environment node
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ExperimentSpec } from "../api/types";
import { defaultOf, readSchema, type JsonSchema } from "../form/schema";
import {
  addValue,
  changeValue,
  draftOf,
  formatSeeds,
  numRuns,
  parseSeeds,
  removeValue,
  specOf,
  valuesAt,
} from "./draft";
import { checkDraft } from "./useCheck";

const document = JSON.parse(readFileSync("openapi.json", "utf8")) as {
  components: { schemas: Record<string, JsonSchema> };
};
const { schemas } = document.components;
const root = readSchema({ ...schemas["RunSpecInput"], $defs: schemas });
const defaults = defaultOf(root);

const open = (spec: Partial<ExperimentSpec>) =>
  draftOf({ name: "Test", run: {}, grid: {}, seeds: [1], ...spec }, root, defaults);

describe("opening a spec", () => {
  it("takes the defaults for what is left open, and gives back a spec that passes", () => {
    const draft = open({ run: { policy: { name: "ssp" } }, seeds: [1, 2, 3] });
    expect(valuesAt(draft, "policy")).toEqual([{ name: "ssp", threshold: 3 }]);
    expect(draft.seeds).toBe("1-3");
    expect(checkDraft(draft, root)).toEqual([]);
    expect(specOf(draft)).toMatchObject({ name: "Test", seeds: [1, 2, 3], grid: {} });
    expect(specOf(draft).run).not.toHaveProperty("seed");
  });

  it("completes the values of the grid by their own kind", () => {
    const draft = open({ grid: { policy: [{ name: "ssp" }, { name: "bsp" }] } });
    expect(valuesAt(draft, "policy")).toEqual([{ name: "ssp", threshold: 3 }, { name: "bsp" }]);
  });

  it("makes one list of a path inside another", () => {
    const draft = open({ grid: { policy: [{ name: "ssp" }], "policy.threshold": [1, 2] } });
    expect(draft.grid).toEqual({
      policy: [
        { name: "ssp", threshold: 1 },
        { name: "ssp", threshold: 2 },
      ],
    });
  });
});

describe("several values", () => {
  it("come and go; the last one left is the run's own again", () => {
    const one = open({ run: { policy: { name: "ssp" } } });
    const three = addValue(addValue(one, "policy.threshold", 5), "policy.threshold", 8);
    expect(three.grid).toEqual({ "policy.threshold": [3, 5, 8] });
    expect(numRuns(three)).toBe(3);
    const back = removeValue(removeValue(three, "policy.threshold", 0), "policy.threshold", 1);
    expect(back.grid).toEqual({});
    expect(valuesAt(back, "policy.threshold")).toEqual([5]);
  });

  it("inside a policy become policies when a further policy is added", () => {
    const draft = addValue(addValue(open({ run: { policy: { name: "ssp" } } }), "policy.threshold", 5), "policy", {
      name: "bsp",
    });
    expect(draft.grid).toEqual({
      policy: [{ name: "ssp", threshold: 3 }, { name: "ssp", threshold: 5 }, { name: "bsp" }],
    });
  });

  it("change one at a time, and leave the others", () => {
    const draft = addValue(open({}), "task.learning_rate", 0.2);
    expect(valuesAt(changeValue(draft, "task.learning_rate", 1, 0.4), "task.learning_rate")[1]).toBe(0.4);
    expect(valuesAt(changeValue(open({}), "task.learning_rate", 0, 0.4), "task.learning_rate")).toEqual([0.4]);
  });

  it("multiply with the seeds", () => {
    expect(numRuns({ ...addValue(open({}), "task.learning_rate", 0.2), seeds: "1-5" })).toBe(10);
  });
});

describe("lists with one entry for each worker", () => {
  it("follow the number of workers, and one entry for all stays one", () => {
    const four = open({ run: { speed: { kind: "lognormal", factors: [1, 1, 1, 4] } } });
    expect(valuesAt(changeValue(four, "cluster.num_workers", 0, 6), "speed.factors")).toEqual([[1, 1, 1, 4, 1, 1]]);
    expect(valuesAt(changeValue(four, "cluster.num_workers", 0, 2), "speed.factors")).toEqual([[1, 1]]);
    const all = open({ run: { speed: { kind: "lognormal", factors: [2] } } });
    expect(valuesAt(changeValue(all, "cluster.num_workers", 0, 6), "speed.factors")).toEqual([[2]]);
    expect(valuesAt(changeValue(four, "cluster.num_workers", 0, "6x"), "speed.factors")).toEqual([[1, 1, 1, 4]]);
  });
});

describe("seeds", () => {
  it.each([
    ["1, 2, 5-8", [1, 2, 5, 6, 7, 8]],
    ["3", [3]],
    ["", []],
    ["1, x", [1, "x"]],
    ["5-1", ["5-1"]],
    ["0-99999999", ["0-99999999"]],
  ])("reads %j", (text, seeds) => expect(parseSeeds(text)).toEqual(seeds));

  it("writes what it reads", () => {
    for (const seeds of [[1], [1, 2], [1, 2, 3], [1, 2, 5, 6, 7, 8], [3, 1, 2]])
      expect(parseSeeds(formatSeeds(seeds))).toEqual(seeds);
  });
});

describe("checking a draft without the server", () => {
  it("names each field that is wrong, in the grid, too", () => {
    const draft = addValue({ ...open({}), name: " ", seeds: "one" }, "policy", { name: "ssp", threshold: -1 });
    expect(checkDraft(draft, root).map(({ field }) => field)).toEqual(["name", "seeds", "policy.threshold"]);
  });
});
