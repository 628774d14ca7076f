// @vitest-environment node
import { describe, expect, it } from "vitest";
import type { Run } from "../api/types";
import { progressOf } from "./progress";
import { changeTags, readTags, sharedTags } from "./tags";
import { filterOf, isFiltered, nextSort, readView, refine, toggle, writeView, type HistoryView } from "./view";

const read = (text: string) => readView(new URLSearchParams(text));

describe("the history's address", () => {
  it("is empty for the plain list", () => {
    expect(writeView(read(""))).toBe("");
    expect(read("").sort).toBe("-created_at");
    expect(isFiltered(read("sort=name"))).toBe(false);
  });

  it("restores every view exactly", () => {
    const view: HistoryView = {
      q: "slow & odd, 50%",
      states: ["running", "queued"],
      policy: "ssp",
      dataset: "digits",
      tag: "paper fig. 3",
      sort: "-utilisation",
      cursor: "abc+/=",
      page: 3,
      selected: ["r1", "r2"],
    };
    expect(read(writeView(view))).toEqual(view);
    expect(isFiltered(view)).toBe(true);
    expect(filterOf(view)).toMatchObject({ state: ["running", "queued"], cursor: "abc+/=", limit: 100 });
  });

  it("survives nonsense", () => expect(read("page=-4&state=,,").page).toBe(1));

  it("goes back to the first page when the list changes", () => {
    const view = read("page=3&cursor=c&selected=r1");
    expect(refine(view, { q: "x" })).toMatchObject({ q: "x", page: 1, cursor: null, selected: ["r1"] });
  });

  it("turns the order round at the second click", () => {
    expect(nextSort("-created_at", "utilisation", true)).toBe("-utilisation");
    expect(nextSort("-utilisation", "utilisation", true)).toBe("utilisation");
    expect(nextSort("name", "time_to_target_s", false)).toBe("time_to_target_s");
    expect(nextSort("time_to_target_s", "time_to_target_s", false)).toBe("-time_to_target_s");
  });

  it("selects in the order of the clicks", () => {
    expect(toggle(["b"], "a")).toEqual(["b", "a"]);
    expect(toggle(["b", "a"], "b")).toEqual(["a"]);
  });
});

describe("tags", () => {
  it("are read, shared and changed", () => {
    expect(readTags(" a, b,,a ")).toEqual(["a", "b"]);
    expect(sharedTags([{ tags: ["b", "a"] }, { tags: ["a"] }])).toEqual([
      { tag: "a", num: 2 },
      { tag: "b", num: 1 },
    ]);
    expect(changeTags(["a", "b"], ["c"], ["a"])).toEqual(["b", "c"]);
    expect(changeTags(["a"], ["a"], ["a"])).toEqual(["a"]);
  });
});

describe("how near a run is to its end", () => {
  const run = (stop: object, summary: object) => ({ spec: { stop }, summary }) as unknown as Run;
  const workers = [{ num_iterations: 50 }, { num_iterations: 10 }];

  it("goes by the nearest end", () => {
    expect(progressOf(run({ seconds: 60, iterations: null }, { duration_s: 15, workers }))).toBe(0.25);
    expect(progressOf(run({ seconds: 60, iterations: 20 }, { duration_s: 15, workers }))).toBe(0.5);
    expect(progressOf(run({ seconds: 10, iterations: null }, { duration_s: 15, workers }))).toBe(1);
    expect(progressOf(run({ seconds: null, iterations: null }, { duration_s: 15, workers }))).toBeNull();
  });
});
