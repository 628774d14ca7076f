// @vitest-environment node
import { describe, expect, it } from "vitest";
import { changeQuery, matchPage } from "./router";

describe("pages by path", () => {
  it.each([
    ["/", { name: "experiments" }],
    ["/experiments", { name: "experiments" }],
    ["/experiments/", { name: "experiments" }],
    ["/experiments/e1", { name: "experiment", id: "e1" }],
    ["/runs", { name: "history" }],
    ["/runs/r%20x", { name: "run", id: "r x" }],
    ["/runs/%E0%A4%A", { name: "run", id: "%E0%A4%A" }],
    ["/compare", { name: "compare" }],
    ["/runs/r1/more", { name: "unknown" }],
    ["/elsewhere", { name: "unknown" }],
  ])("%s", (path, page) => expect(matchPage(path)).toEqual(page));
});

it("changes some keys of a query and keeps the others", () => {
  const query = new URLSearchParams("runs=a,b&baseline=a&x=");
  expect(changeQuery(query, { baseline: "b" })).toBe("?runs=a%2Cb&baseline=b&x=");
  expect(changeQuery(query, { runs: null, baseline: "", x: null })).toBe("");
});
