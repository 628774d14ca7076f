// @vitest-environment node
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

/** Contrasts of the design's colours, measured as WCAG 2.2 does. */

const css = readFileSync("src/styles/tokens.css", "utf8");

function tokensOf(selector: string): Map<string, string> {
  const start = css.indexOf(`${selector} {`);
  const block = css.slice(start, css.indexOf("}", start));
  return new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = "", value = ""]) => [name, value]));
}

function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.03928 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const LIGHT = ":root";
const DARK = ':root[data-theme="dark"]';
const MORE = '[data-contrast="more"]';

describe.each([
  ["light", LIGHT, { text: 4.5, mark: 3 }],
  ["dark", DARK, { text: 4.5, mark: 3 }],
  ["high contrast, light", LIGHT + MORE, { text: 7, mark: 4.5 }],
  ["high contrast, dark", DARK + MORE, { text: 7, mark: 4.5 }],
])("the theme %s", (_, selector, least) => {
  const tokens = tokensOf(selector);
  const colour = (name: string) => {
    const value = tokens.get(name);
    if (!value) throw new Error(`no token --${name}`);
    return value;
  };
  const grounds = ["ground", "surface"];

  it.each(["ink", "ink-quiet", "fault-ink"])("can be read: --%s stands out from every ground", (name) => {
    for (const ground of [...grounds, "sunken", "hover"])
      expect(contrast(colour(name), colour(ground))).toBeGreaterThanOrEqual(least.text);
  });

  it.each([
    "compute",
    "local",
    "transfer",
    "wait",
    "stall",
    "evaluate",
    "line-strong",
    ...Array.from({ length: 8 }, (__, i) => `run-${i + 1}`),
  ])("can be seen: --%s stands out from its ground", (name) => {
    for (const ground of grounds) expect(contrast(colour(name), colour(ground))).toBeGreaterThanOrEqual(least.mark);
  });

  it("writes on buttons", () =>
    expect(contrast(colour("ink-inverse"), colour("ink"))).toBeGreaterThanOrEqual(least.text));
});

it.each([DARK, LIGHT + MORE, DARK + MORE])("names in %s the colours of the light theme", (selector) => {
  expect([...tokensOf(selector).keys()]).toEqual([...tokensOf(LIGHT).keys()]);
});

it("draws hairlines that can be seen where more contrast is asked for", () => {
  for (const selector of [LIGHT + MORE, DARK + MORE]) {
    const tokens = tokensOf(selector);
    expect(contrast(tokens.get("line") ?? "", tokens.get("surface") ?? "")).toBeGreaterThanOrEqual(4.5);
  }
});
