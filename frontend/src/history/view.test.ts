// @vitest-environment node
import { describe, expect, it } from "vitest";
import type { Run } from "../api/types";
import { progressOf } from "./progress";
import { readTags, sharedTags } from "./tags";
import {
  isAll,
  isBin,
  isFiltered,
  nextSort,
  readView,
  refine,
  rowQueryOf,
  toggle,
  writeView,
  type HistoryView,
} from "./view";

const read = (text: string) => readView(new URLSearchParams(text));

describe("the history's address", () => {
  it("is empty for the plain list", () => {
    expect(writeView(read(""))).toBe("");
    expect(read("").sort).toBe("-created_at");
    expect(isFiltered(read("sort=name"))).toBe(false);
  });

  it("restores every view exactly", () => {
    const view: HistoryView = {
      filter: 'policy:ssp state:running,queued "slow & odd, 50%" -tag:"a + b" utilisation>=95%',
      sort: "-utilisation",
      columns: ["state", "loss", "tags"],
      cursor: "abc+/=",
      page: 3,
      size: 500,
      selected: ["r1", "r2"],
    };
    expect(read(writeView(view))).toEqual(view);
    expect(isFiltered(view)).toBe(true);
    expect(rowQueryOf(view)).toEqual({ filter: view.filter, sort: "-utilisation", limit: 500, cursor: "abc+/=" });
  });

  it("survives nonsense", () => {
    expect(read("page=-4&state=,,&size=7")).toMatchObject({ page: 1, size: 100, filter: "" });
  });

  it("reads the addresses of before there was one filter", () => {
    const old = "state=running,queued&policy=ssp&dataset=digits&tag=paper+fig.+3&q=slow+%26+odd";
    expect(read(old).filter).toBe('state:running,queued policy:ssp dataset:digits tag:"paper fig. 3" "slow & odd"');
    expect(read("filter=seed:1+or+seed:2&q=x").filter).toBe("(seed:1 or seed:2) x");
  });

  it("goes back to the first page when the list changes", () => {
    const view = read("page=3&cursor=c&selected=r1");
    expect(refine(view, { filter: "x" })).toMatchObject({ filter: "x", page: 1, cursor: null, selected: ["r1"] });
  });

  it("lets go of the selection of all when another filter comes, and keeps it under another order", () => {
    const view = read("filter=x&selected=all");
    expect(isAll(view.selected)).toBe(true);
    expect(refine(view, { filter: "y" }).selected).toEqual([]);
    expect(refine(view, { sort: "name" }).selected).toEqual(["all"]);
  });

  it("knows the bin", () => {
    expect([isBin(read("filter=is:deleted")), isBin(read("filter=policy:ssp+is:deleted"))]).toEqual([true, true]);
    expect(isBin(read("filter=tag:x"))).toBe(false);
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
  it("are read and shared", () => {
    expect(readTags(" a, b,,a ")).toEqual(["a", "b"]);
    expect(sharedTags([{ tags: ["b", "a"] }, { tags: ["a"] }])).toEqual([
      { tag: "a", num: 2 },
      { tag: "b", num: 1 },
    ]);
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
