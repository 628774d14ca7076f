import { describe, expect, it } from "vitest";
import { culprits, piecesOf, stretches, usedParts, waitedS } from "./parts";
import { anAccount } from "./sample";

describe("the parts of a bar", () => {
  it("come in the order of the legend, without the empty ones, and add up to the wall time", () => {
    const account = anAccount();
    const [first] = account.workers;
    if (!first) throw new Error("the sample has workers");
    const pieces = piecesOf(account, first.parts, first.unaccounted_s);
    expect(pieces.map(({ key }) => key)).toEqual(["compute", "up", "wait", "down", "unaccounted"]);
    expect(pieces.reduce((sum, { seconds }) => sum + seconds, 0)).toBeCloseTo(first.wall_s);
    expect(usedParts(account).map(({ key }) => key)).toEqual(["compute", "up", "wait", "down", "unaccounted"]);
  });
});

describe("who was waited for", () => {
  it("is sorted by seconds; whoever was not named comes last", () => {
    const account = anAccount();
    expect(culprits(account, 12)).toEqual({
      shown: [
        { worker: 2, seconds: 6 },
        { worker: 1, seconds: 1 },
        { worker: null, seconds: 0.5 },
      ],
      rest: [],
    });
    expect(waitedS(account, 0, 2)).toBe(4);
    expect(waitedS(account, 1, null)).toBe(0.5);
  });

  it("is cut to so many columns, and the rest is named", () => {
    expect(culprits(anAccount(), 1)).toEqual({
      shown: [
        { worker: 2, seconds: 6 },
        { worker: null, seconds: 0.5 },
      ],
      rest: [1],
    });
  });
});

describe("slices of the same worker", () => {
  it("are joined to stretches", () => {
    expect(stretches([null, 2, 2, 1, 2])).toEqual([
      { worker: null, first: 0, num: 1 },
      { worker: 2, first: 1, num: 2 },
      { worker: 1, first: 3, num: 1 },
      { worker: 2, first: 4, num: 1 },
    ]);
    expect(stretches([])).toEqual([]);
  });
});
