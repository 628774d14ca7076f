// @vitest-environment node
import { describe, expect, it } from "vitest";
import { destination, move, moveTo, placeOfGap } from "./order";

const set = (text: string) => new Set(text);
const ALL = ["a", "b", "c", "d", "e"];

describe("moving in the queue", () => {
  // The same cases as the server's own test has.
  it.each([
    ["c", "first", "cabde"],
    ["c", "last", "abdec"],
    ["c", "up", "acbde"],
    ["c", "down", "abdce"],
    ["a", "up", "abcde"],
    ["e", "down", "abcde"],
    ["ec", "first", "ceabd"],
    ["bd", "up", "bdace"],
    ["bd", "down", "acebd"],
    ["ab", "up", "abcde"],
    ["de", "down", "abcde"],
    ["abcde", "first", "abcde"],
    ["x", "first", "abcde"],
  ] as const)("%s %s", (chosen, to, order) => expect(move(ALL, set(chosen), to).join("")).toBe(order));

  it.each([
    ["b", 0, "bacde"],
    ["b", 1, "abcde"],
    ["b", 2, "abcde"],
    ["b", 3, "acbde"],
    ["b", 5, "acdeb"],
    ["ad", 3, "bcade"],
  ])("%s dragged to gap %i", (chosen, gap, order) => {
    const at = placeOfGap(ALL, set(chosen), gap);
    expect(moveTo(ALL, set(chosen), at).join("")).toBe(order);
  });

  it("tells the server before whom", () => {
    expect(destination(ALL, set("b"), 0)).toEqual({ before: "a" });
    expect(destination(ALL, set("b"), 1)).toEqual({ before: "c" });
    expect(destination(ALL, set("b"), 4)).toBe("last");
  });
});
