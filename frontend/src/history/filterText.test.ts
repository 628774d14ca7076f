// @vitest-environment node
import { describe, expect, it } from "vitest";
import { accept, offersAt } from "./completion";
import { chosenValues, cut, quote, readParts, toggleValue, withTerm } from "./filterText";
import type { FilterKey } from "./types";

const key = (name: string, values: string[], example = `${name}:x`, help = ""): FilterKey => ({
  key: name,
  type: "text",
  operators: [":", "=", "!="],
  help,
  example,
  values,
});

const KEYS = [
  key("policy", ["foresync", "ssp", "predictive"]),
  key("tag", ["paper fig. 3", "old"]),
  key("utilisation", [], "utilisation>=0.95", "Compute time over wall time."),
  key("spec.policy.threshold", [], "spec.policy.threshold>=1"),
];

describe("a filter's text", () => {
  it("is cut as the server cuts it", () => {
    const pieces = cut('-tag:"a b",c (seed>=2 or "x:y")');
    expect(pieces.map(({ kind, text }) => [kind, text])).toEqual([
      ["minus", "-"],
      ["word", "tag"],
      ["operator", ":"],
      ["word", "a b"],
      ["comma", ","],
      ["word", "c"],
      ["open", "("],
      ["word", "seed"],
      ["operator", ">="],
      ["word", "2"],
      ["word", "or"],
      ["word", "x:y"],
      ["close", ")"],
    ]);
  });

  it("keeps a colon and a minus inside a value", () => {
    expect(cut("created>-7d finished<2026-11-01T10:00").map(({ text }) => text)).toEqual([
      "created",
      ">",
      "-7d",
      "finished",
      "<",
      "2026-11-01T10:00",
    ]);
  });

  it("ends somewhere whatever is typed", () => {
    for (const text of ['"', "a:", ",", "((", "-", ">=", 'a:"b', "a:,b", "- a", "\\"]) {
      const pieces = cut(text);
      expect(pieces.at(-1)?.end ?? 0).toBeLessThanOrEqual(text.length);
      expect(() => readParts(text)).not.toThrow();
    }
  });

  it("quotes what needs it", () => {
    expect(["ssp", "a b", "-x", "or", 'say "hi"', "a:b", ""].map(quote1)).toEqual([
      "ssp",
      '"a b"',
      '"-x"',
      '"or"',
      '"say \\"hi\\""',
      '"a:b"',
      '""',
    ]);
    expect(cut(quote('say "hi" \\'))[0]?.text).toBe('say "hi" \\');
  });

  it("tells what the outermost level asks for", () => {
    expect(chosenValues("policy:ssp,bsp tag:x (policy:asp)", { key: "policy" })).toEqual(["ssp", "bsp"]);
    expect(chosenValues("-policy:ssp not policy:bsp policy!=asp", { key: "policy" })).toEqual([]);
    expect(readParts("seed:1 or seed:2").hasOr).toBe(true);
    expect(readParts('seed:1 "or" (a or b)').hasOr).toBe(false);
  });
});

const quote1 = (value: string) => quote(value);

describe("a facet", () => {
  it("adds its value, and takes it out again", () => {
    expect(toggleValue("", { key: "policy" }, "ssp")).toBe("policy:ssp");
    expect(toggleValue("policy:ssp seed:1", { key: "policy" }, "bsp")).toBe("policy:ssp,bsp seed:1");
    expect(toggleValue("policy:ssp,bsp seed:1", { key: "policy" }, "ssp")).toBe("policy:bsp seed:1");
    expect(toggleValue("seed:1 policy:bsp wide", { key: "policy" }, "bsp")).toBe("seed:1 wide");
  });

  it("asks for every tag, not for one of them", () => {
    expect(toggleValue("tag:old", { key: "tag" }, "paper fig. 3", true)).toBe('tag:old tag:"paper fig. 3"');
    expect(toggleValue('tag:old tag:"paper fig. 3"', { key: "tag" }, "old", true)).toBe('tag:"paper fig. 3"');
  });

  it("puts alternatives into brackets, and leaves an excluded value excluded", () => {
    expect(toggleValue("seed:1 or policy:ssp", { key: "policy" }, "ssp")).toBe("(seed:1 or policy:ssp) policy:ssp");
    const workers = { key: "workers", aliases: ["num_workers"] };
    expect(chosenValues("num_workers:4 workers:2", workers)).toEqual(["4", "2"]);
    expect(toggleValue("num_workers:4", workers, "8")).toBe("workers:4,8");
    expect(toggleValue("num_workers:4 wide", workers, "4")).toBe("wide");
    expect(toggleValue('name:"a  b"  policy:ssp  x', { key: "policy" }, "bsp")).toBe('name:"a  b" policy:ssp,bsp x');
    expect(toggleValue("-policy:ssp", { key: "policy" }, "ssp")).toBe("-policy:ssp policy:ssp");
    expect(withTerm("a or b", "c")).toBe("(a or b) c");
  });
});

describe("the completion", () => {
  const labels = (text: string, caret = text.length) => offersAt(text, caret, KEYS).offers.map(({ label }) => label);

  it("offers keys, and settings once they are asked for", () => {
    expect(labels("")).toEqual(["policy", "tag", "utilisation"]);
    expect(labels("pol")).toEqual(["policy", "spec.policy.threshold"]);
    expect(labels("-spec")).toEqual(["spec.policy.threshold"]);
    expect(labels("compute")).toEqual(["utilisation"]);
    expect(labels("seed:1 (ut")).toEqual(["utilisation"]);
  });

  it("offers the values of the key before it", () => {
    expect(labels("policy:")).toEqual(["foresync", "ssp", "predictive"]);
    expect(labels("policy:ssp,p")).toEqual(["predictive", "ssp"]);
    expect(labels('tag:"pap')).toEqual(["paper fig. 3"]);
    expect(labels("unknown:x")).toEqual([]);
    expect(labels("policy:fo seed:1", 9)).toEqual(["foresync"]);
  });

  it("is put in its place", () => {
    const take = (text: string, caret: number, index = 0) => {
      const { spot, offers } = offersAt(text, caret, KEYS);
      const offer = offers[index];
      return offer && accept(text, spot, offer);
    };
    expect(take("ut", 2)).toEqual({ text: "utilisation>=", caret: 13 });
    expect(take("policy:fo seed:1", 9)).toEqual({ text: "policy:foresync seed:1", caret: 16 });
    expect(take("tag:", 4)).toEqual({ text: 'tag:"paper fig. 3" ', caret: 19 });
  });
});
