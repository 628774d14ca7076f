// @vitest-environment node
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { describePolicy, splitPolicy } from "./policy";
import { complete, fieldAt, readSchema, type JsonSchema } from "./schema";

/** The real schema, as the API describes it. */
const document = JSON.parse(readFileSync("openapi.json", "utf8")) as {
  components: { schemas: Record<string, JsonSchema> };
};
const { schemas } = document.components;
const union = fieldAt(readSchema({ ...schemas["RunSpecInput"], $defs: schemas }), "policy");
if (union?.kind !== "union") throw new Error("the policy of a spec must be a union");
const whole = (policy: object) => complete(union, policy);

describe("a policy in a few words", () => {
  it("says nothing of its defaults", () => {
    expect(splitPolicy(whole({ name: "foresync" }), union)).toEqual({ head: "foresync", rest: "" });
    expect(splitPolicy(whole({ name: "predictive" }), union).rest).toBe("");
  });

  it("says what differs from them", () => {
    expect(splitPolicy(whole({ name: "foresync", momentum: 0.5 }), union).rest).toBe("momentum 0.5");
    expect(splitPolicy(whole({ name: "dssp", threshold_high: 9 }), union).rest).toBe("threshold high 9");
  });

  it("always says the one setting of a policy that has one only", () => {
    expect(describePolicy(whole({ name: "ssp" }), union)).toBe("ssp (threshold 3)");
    expect(describePolicy(whole({ name: "local_sgd", local_iterations: 8 }), union)).toBe("local sgd (local iterations 8)");
  });

  it("does not take an absent number for none", () => {
    const differing = new Set(["momentum"]);
    expect(describePolicy(whole({ name: "foresync" }), union, differing)).toBe("foresync (usual momentum)");
    expect(describePolicy(whole({ name: "foresync", momentum: 0 }), union, differing)).toBe("foresync (momentum 0)");
  });

  it("names a policy of which nothing is known", () => {
    expect(describePolicy({ name: "of_tomorrow", power: 9 }, union)).toBe("of tomorrow");
    expect(describePolicy({ name: "ssp", threshold: 3 }, null)).toBe("ssp");
    expect(describePolicy(null, union)).toBe("none");
  });
});
