// @vitest-environment node
import { describe, expect, it } from "vitest";
import { describePath, describeValue } from "./describe";
import { changesBetween, getAt, isSame, overlay, setAt } from "./values";

describe("data by path", () => {
  const data = { task: { rate: 0.1 }, speed: { factors: [1, 2] } };

  it("reads and writes without touching the original", () => {
    expect(getAt(data, "speed.factors.1")).toBe(2);
    expect(getAt(data, "task.rate.deeper")).toBeUndefined();
    expect(setAt(data, "speed.factors.1", 5)).toEqual({ task: { rate: 0.1 }, speed: { factors: [1, 5] } });
    expect(setAt(data, "stop.target.value", 1)).toMatchObject({ stop: { target: { value: 1 } } });
    expect(data.speed.factors).toEqual([1, 2]);
  });

  it("lays one object on another, but replaces a union of another kind", () => {
    const base = { name: "run", policy: { name: "ssp", threshold: 3 }, task: { a: 1, b: 2 } };
    expect(overlay(base, { name: "other", policy: { name: "bsp" }, task: { b: 3 } })).toEqual({
      name: "other",
      policy: { name: "bsp" },
      task: { a: 1, b: 3 },
    });
    expect(overlay(base, { policy: { name: "ssp" } })).toMatchObject({ policy: { threshold: 3 } });
  });

  it("finds the smallest changes", () => {
    const before = { policy: { name: "ssp", threshold: 3 }, speed: { kind: "lognormal", cv: 0.1 }, seed: 1 };
    expect(changesBetween(before, before)).toEqual({});
    expect(changesBetween(before, { ...before, policy: { name: "ssp", threshold: 5 } })).toEqual({
      "policy.threshold": 5,
    });
    expect(changesBetween(before, { ...before, policy: { name: "bsp" } })).toEqual({ policy: { name: "bsp" } });
    expect(changesBetween(before, { ...before, seed: 2 })).toEqual({ seed: 2 });
  });

  it("compares by value", () => {
    expect(isSame({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toBe(true);
    expect(isSame([1, 2], [1])).toBe(false);
    expect(isSame({ a: 1 }, { a: 1, b: undefined })).toBe(true);
  });
});

describe("settings in words", () => {
  it.each([
    [{ name: "ssp", threshold: 3 }, "ssp (threshold 3)"],
    [{ name: "bsp" }, "bsp"],
    [{ kind: "lognormal", base_s: 0.05 }, "lognormal (base 0.05\u202fs)"],
    [[1, 1, 1, 4], "1, 1, 1, 4"],
    [[1, 1, 1, 1], "1 (all 4)"],
    [[], "none"],
    [[{ worker: 1, leaves_at_s: 4, joins_at_s: 7 }, { worker: 2, leaves_at_s: null, joins_at_s: 3 }], "worker 1, leaves at 4\u202fs, joins at 7\u202fs; worker 2, joins at 3\u202fs"],
    [null, "none"],
    [0.5, "0.5"],
    [true, "yes"],
  ])("%j", (value, text) => expect(describeValue(value)).toBe(text));

  it("names paths", () => {
    expect(describePath("policy.threshold")).toBe("Policy: threshold");
    expect(describePath("evaluate_every_s")).toBe("Evaluate every");
  });
});
