// @vitest-environment node
import { describe, expect, it } from "vitest";
import { match } from "./fuzzy";

const best = (query: string, texts: string[]) =>
  texts
    .flatMap((text) => {
      const found = match(query, text);
      return found ? [{ text, score: found.score }] : [];
    })
    .toSorted((a, b) => b.score - a.score)
    .map(({ text }) => text);

describe("a few letters", () => {
  it.each([
    ["exp", ["Go to Experiments", "Export of a run"], ["Export of a run", "Go to Experiments"]],
    ["gh", ["Light", "Go to History"], ["Go to History", "Light"]],
    ["hist", ["This is that", "Go to History"], ["Go to History", "This is that"]],
    ["ne", ["New experiment", "One slow worker"], ["New experiment", "One slow worker"]],
    ["run 2", ["run 12", "run 2", "run 1"], ["run 2", "run 12"]],
    ["zq", ["Go to History"], []],
  ])("%s", (query, texts, wanted) => expect(best(query, texts)).toEqual(wanted));

  it("are marked where they were found", () => {
    expect(match("his", "Go to History")?.at).toEqual([6, 7, 8]);
    expect(match("gth", "Go to History")?.at).toEqual([0, 3, 6]);
    expect(match("hist go", "Go to History")?.at).toEqual([0, 1, 6, 7, 8, 9]);
  });

  it("match everything when there are none", () => {
    expect(match("", "anything")?.at).toEqual([]);
    expect(match("  ", "anything")?.at).toEqual([]);
  });

  it("that lie about anywhere are no match", () => {
    expect(match("oro", "Compare with another worker")).toBeNull();
  });
});

it("stays fast with long texts", () => {
  const text = "a".repeat(10_000);
  expect(match("aaaaaaaaab", text)).toBeNull();
  expect(match("aaaa", text)?.at.length).toBe(4);
});
