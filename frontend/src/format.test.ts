// @vitest-environment node
import { describe, expect, it } from "vitest";
import * as f from "./format";

const plain = (text: string) => text.replaceAll("\u202f", " ");

describe("numbers", () => {
  it.each([
    [0, "0"],
    [0.012345, "0.0123"],
    [0.5, "0.500"],
    [1.2345, "1.23"],
    [9.996, "10.0"],
    [99.96, "100"],
    [999.6, "1,000"],
    [12345, "12,300"],
    [-3.14159, "−3.14"],
    [1e-9, "1.00·10^-9".replace("-", "−")],
    [Infinity, "∞"],
    [null, "–"],
    [undefined, "–"],
    [NaN, "–"],
  ])("writes %s with three significant digits", (value, text) => {
    expect(f.formatNumber(value)).toBe(text);
  });

  it.each([
    [0, "0"],
    [1234, "1,234"],
    [99_999, "99,999"],
    [123_456, "123 k"],
    [999_999, "1.00 M"],
    [1_234_567, "1.23 M"],
    [2.5e9, "2.50 G"],
  ])("counts %s", (value, text) => expect(plain(f.formatCount(value))).toBe(text));

  it("never shows more than three significant digits of a measured number", () => {
    for (let exponent = -6; exponent < 14; exponent += 1) {
      for (const mantissa of [1.0049, 1.005, 4.44444, 9.9949, 9.995, 9.99999]) {
        const digits = f
          .formatNumber(mantissa * 10 ** exponent)
          .replace(/[^0-9]/g, "")
          .replace(/^0+|0+$/g, "");
        expect(digits.length).toBeLessThanOrEqual(3);
      }
    }
  });
});

describe("seconds", () => {
  it.each([
    [0, "0 s"],
    [0.0000123, "12.3 µs"],
    [0.04123, "41.2 ms"],
    [0.41, "0.410 s"],
    [1.2399, "1.24 s"],
    [95.06, "95.1 s"],
    [119.4, "119 s"],
    [119.6, "2 min 00 s"],
    [125, "2 min 05 s"],
    [3599.7, "1 h 00 min"],
    [3900, "1 h 05 min"],
    [3 * 86400 + 4 * 3600, "3 d 04 h"],
    [-125, "−2 min 05 s"],
    [null, "–"],
  ])("writes %s s", (value, text) => expect(plain(f.formatSeconds(value))).toBe(text));
});

describe("predicted seconds", () => {
  it.each([
    [0, "0 s"],
    [8.54, "8.5 s"],
    [40.2, "40 s"],
    [99.7, "2 min"],
    [118, "2 min"],
    [4000, "1 h 7 min"],
    [7200, "2 h"],
    [86400, "24 h"],
    [null, "–"],
  ])("writes %s s with two digits", (value, text) => expect(plain(f.formatRoughSeconds(value))).toBe(text));
});

describe("shares, bytes and ratios", () => {
  it.each([
    [0, "0%"],
    [0.0004, "0.04%"],
    [0.05, "5.00%"],
    [0.1234, "12.3%"],
    [0.9999, "100%"],
    [1, "100%"],
    [null, "–"],
  ])("writes the share %s", (value, text) => expect(f.formatPercent(value)).toBe(text));

  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1234, "1.23 kB"],
    [999_950, "1.00 MB"],
    [21.8e9, "21.8 GB"],
  ])("writes %s bytes", (value, text) => expect(plain(f.formatBytes(value))).toBe(text));

  it("writes ratios and changes", () => {
    expect(f.formatRatio(0.6212)).toBe("0.621×");
    expect(f.formatRatio(Infinity)).toBe("–");
    expect(f.formatDelta(-1.5)).toBe("−1.50");
    expect(f.formatDelta(0.031, f.formatPercent)).toBe("+3.10%");
    expect(f.formatDelta(0)).toBe("0");
  });

  it("keeps the exact value for the hover", () => {
    expect(f.exactNumber(12345.6789, "s")).toBe("12,345.6789 s");
    expect(f.exactPercent(0.07)).toBe("7%");
    expect(f.exactNumber(null)).toBe("not known");
  });
});

describe("instants", () => {
  const now = Date.parse("2024-05-01T12:00:00Z");
  it.each([
    ["2024-05-01T11:59:58Z", "just now"],
    ["2024-05-01T11:59:18Z", "42 s ago"],
    ["2024-05-01T11:57:00Z", "3 min ago"],
    ["2024-05-01T10:00:00Z", "2 h ago"],
    ["2024-04-20T12:00:00Z", "11 d ago"],
    ["2024-05-01T12:03:00Z", "in 3 min"],
    ["nonsense", "–"],
    [null, "–"],
  ])("writes %s relative to now", (iso, text) => expect(f.formatRelative(iso, now)).toBe(text));

  it("has a singular", () => {
    expect(f.plural(1, "run")).toBe("1 run");
    expect(f.plural(0, "run")).toBe("0 runs");
  });
});
