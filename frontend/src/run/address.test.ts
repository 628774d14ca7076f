import { describe, expect, it } from "vitest";
import type { Selection } from "../timeline/selection";
import { readSelection, writeSelection, writeStretch } from "./address";

describe("the address of a view", () => {
  it.each<Selection>([
    { kind: "node", node: "worker-12" },
    { kind: "span", node: "worker-3", atS: 12.345678901234 },
    { kind: "sync", node: "server", atS: 0.1 + 0.2 },
    { kind: "window", node: "server", atS: 1e-7 },
    { kind: "stretch", node: "worker-0", atS: 100, lengthS: 0.25 },
    { kind: "entry", node: null, seq: 17 },
    { kind: "entry", node: "evaluator", seq: 18 },
  ])("keeps %o", (selection) => {
    expect(readSelection(writeSelection(selection))).toEqual(selection);
  });

  it.each([null, "", "span", "span:worker-3", "span:worker-3:x", "span:../x:1", "entry::1.5", "stretch:server:1:-1", "what:server:1"])(
    "takes %o for no selection",
    (text) => {
      expect(readSelection(text)).toBeNull();
    },
  );

  it("writes times as exactly as they can be seen, and no longer", () => {
    expect(writeStretch(100.123456789, 104.123456789)).toEqual({ from: "100.12346", to: "104.12346" });
    expect(writeStretch(1.00000012345, 1.00200012345)).toEqual({ from: "1.00000012", to: "1.00200012" });
    expect(writeStretch(12_345.678, 99_999.9)).toEqual({ from: "12345.7", to: "99999.9" });
  });
});
