// @vitest-environment node
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkField, limitsOf, parseNumber } from "./check";
import {
  complete,
  defaultOf,
  fieldAt,
  labelOf,
  readSchema,
  settable,
  variantOf,
  type Field,
  type JsonSchema,
} from "./schema";

/** The real schema of a run's spec, as the API describes it. */
const document = JSON.parse(readFileSync("openapi.json", "utf8")) as {
  components: { schemas: Record<string, JsonSchema> };
};
const { schemas } = document.components;
const root = readSchema({ ...schemas["RunSpecInput"], $defs: schemas });

function walk(field: Field, visit: (field: Field) => void): void {
  visit(field);
  if (field.kind === "group") field.fields.forEach((one) => walk(one, visit));
  if (field.kind === "union") field.variants.forEach((one) => walk(one.field, visit));
  if (field.kind === "optional") walk(field.field, visit);
  if (field.kind === "list") walk(field.item, visit);
}

describe("the schema of a run's spec", () => {
  it("becomes the sections of the form", () => {
    expect(root.fields.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["task", "cluster", "policy", "forecaster", "speed", "transfer", "stop", "seed"]),
    );
  });

  it("has a help text for every setting that can be set", () => {
    const silent: string[] = [];
    walk(root, (field) => {
      if (field.kind !== "group") return;
      for (const one of settable(field))
        if (one.kind !== "group" && one.kind !== "union" && one.help === "") silent.push(one.name);
    });
    expect(silent).toEqual([]);
  });

  it("has defaults that pass its own limits, for every variant of every union", () => {
    const wrong: unknown[] = [];
    walk(root, (field) => {
      if (field.kind !== "group") return;
      const problems = checkField(field, defaultOf(field), field.name);
      wrong.push(...problems.filter(({ wish }) => wish !== "is required")); // some have no default: a trace's path
    });
    expect(wrong).toEqual([]);
  });

  it("tells the variants of its tagged unions apart", () => {
    for (const name of ["policy", "forecaster", "speed"]) {
      const union = fieldAt(root, name);
      if (union?.kind !== "union") throw new Error(`${name} must be a union`);
      expect(union.variants.length).toBeGreaterThan(1);
      union.variants.forEach((variant, index) => {
        expect(variant.help).not.toBe("");
        expect(variantOf(union, defaultOf(variant.field))).toBe(index);
      });
    }
  });
});

const SMALL: JsonSchema = {
  type: "object",
  $defs: {
    Dirichlet: {
      title: "DirichletPartition",
      description: "Non-IID.",
      type: "object",
      properties: { dirichlet: { type: "number", default: 0.3, exclusiveMinimum: 0, maximum: 1000 } },
    },
    Goal: {
      type: "object",
      properties: {
        metric: { enum: ["accuracy", "loss"], type: "string", default: "accuracy" },
        value: { type: "number", default: 0.9, minimum: 0 },
      },
    },
    Fast: {
      type: "object",
      description: "Fast.",
      properties: { kind: { const: "fast", default: "fast", type: "string" } },
    },
    Slow: {
      type: "object",
      description: "Slow.",
      properties: {
        kind: { const: "slow", default: "slow", type: "string" },
        wait_s: { type: "number", default: 2, unit: "s", advanced: true },
      },
    },
  },
  properties: {
    num_workers: { type: "integer", default: 4, minimum: 1, maximum: 64, description: "How many, as `N`." },
    partition: { anyOf: [{ const: "iid", type: "string" }, { $ref: "#/$defs/Dirichlet" }], default: "iid" },
    seconds: { anyOf: [{ type: "number", exclusiveMinimum: 0 }, { type: "null" }], default: null, unit: "s" },
    goal: { anyOf: [{ $ref: "#/$defs/Goal" }, { type: "null" }], default: null },
    speed: { oneOf: [{ $ref: "#/$defs/Fast" }, { $ref: "#/$defs/Slow" }], discriminator: { propertyName: "kind" } },
    factors: { type: "array", items: { type: "number", exclusiveMinimum: 0 }, minItems: 1, default: [1] },
  },
};

describe("reading a schema", () => {
  const small = readSchema(SMALL);
  const field = (path: string) => {
    const found = fieldAt(small, path);
    if (!found) throw new Error(`no field ${path}`);
    return found;
  };

  it("keeps label, help, unit and limits", () => {
    expect(field("num_workers")).toMatchObject({
      kind: "number",
      isInteger: true,
      label: "Workers",
      help: "How many, as N.",
      min: 1,
      max: 64,
    });
    expect(limitsOf(field("num_workers"))).toBe("1 to 64");
    expect(limitsOf(field("seconds"))).toBe("above 0");
    expect(labelOf("transfer_s", "s")).toBe("Transfer");
  });

  it("knows what may be absent, plain or whole", () => {
    expect(field("seconds")).toMatchObject({ kind: "optional", unit: "s", field: { kind: "number" } });
    expect(field("goal")).toMatchObject({ kind: "optional", field: { kind: "group" } });
    expect(checkField(field("goal"), null, "goal")).toEqual([]);
  });

  it("knows unions by tag and by looks", () => {
    const [partition, speed] = [field("partition"), field("speed")];
    if (partition.kind !== "union" || speed.kind !== "union") throw new Error("both must be unions");
    expect(partition.variants.map(({ label }) => label)).toEqual(["iid", "dirichlet"]);
    expect(variantOf(partition, { dirichlet: 0.5 })).toBe(1);
    expect(variantOf(partition, "iid")).toBe(0);
    expect(variantOf(speed, { kind: "slow" })).toBe(1);
    expect(variantOf(speed, { kind: "warp" })).toBe(-1);
  });

  it("hides tags and other constants", () => {
    const speed = field("speed");
    if (speed.kind !== "union") throw new Error("must be a union");
    const slow = speed.variants[1]?.field;
    expect(slow?.kind === "group" && settable(slow).map(({ name }) => name)).toEqual(["wait_s"]);
  });

  it("fills what a value leaves open, as the server does", () => {
    expect(complete(small, { speed: { kind: "slow" }, goal: { value: 0.5 } })).toEqual({
      num_workers: 4,
      partition: "iid",
      seconds: null,
      goal: { metric: "accuracy", value: 0.5 },
      speed: { kind: "slow", wait_s: 2 },
      factors: [1],
    });
  });
});

describe("checking a value", () => {
  const small = readSchema(SMALL);
  it.each([
    ["num_workers", 0, "must be >= 1"],
    ["num_workers", 65, "must be <= 64"],
    ["num_workers", 1.5, "must be a whole number"],
    ["num_workers", "abc", "must be a number"],
    ["num_workers", "", "is required"],
    ["seconds", 0, "must be > 0"],
    ["factors", [], "must have at least 1 entries"],
  ])("%s = %s: %s", (path, value, wish) => {
    const field = fieldAt(small, path);
    expect(field && checkField(field, value, path)).toEqual([{ field: path, value, wish }]);
  });

  it("names the entry of a list and the place in a variant", () => {
    const problems = checkField(small, { factors: [1, -2], speed: { kind: "slow", wait_s: "x" } }, "");
    expect(problems.map(({ field }) => field)).toEqual(["speed.wait_s", "factors.1"]);
  });

  it.each([
    ["0.1", 0.1],
    [" 3 ", 3],
    ["1e-3", 0.001],
    ["−2", -2],
    ["", ""],
    ["0x10", "0x10"],
    ["abc", "abc"],
    ["1,5", "1,5"],
  ])("reads %j as %j", (text, value) => expect(parseNumber(text)).toBe(value));
});
