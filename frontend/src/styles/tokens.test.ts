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

type Triple = [number, number, number];
const times = (matrix: readonly Triple[], [a, b, c]: Triple) => matrix.map(([x, y, z]) => x * a + y * b + z * c) as Triple;

/** How eyes see a colour, in linear light: all cones, or none for green or red (Machado, Oliveira and Fernandes 2009). */
const EYES: Record<string, Triple[]> = {
  "all cones": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  "no green cones": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  "no red cones": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
};

/** Where eyes see a colour in OKLab, in which equal distances look about equally large; black and white are 1 apart. */
function placeOf(colour: string, eyes: readonly Triple[]): Triple {
  const light = [1, 3, 5].map((at) => {
    const channel = parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  }) as Triple;
  const seen = times(eyes, light).map((one) => Math.min(1, Math.max(0, one))) as Triple;
  const cones = times([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]], seen);
  return times([[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099], [0.0259040371, 0.7827717662, -0.808675766]], cones.map(Math.cbrt) as Triple);
}

/** The two colours of a list that are least apart. */
function closest(colours: readonly string[], eyes: readonly Triple[]): { apart: number; pair: string } {
  const places = colours.map((colour) => placeOf(colour, eyes));
  const all = places.flatMap((a, i) =>
    places.slice(0, i).map((b, j) => ({ apart: Math.hypot(...a.map((one, k) => one - (b[k] ?? 0))), pair: `run-${j + 1} and run-${i + 1}` })),
  );
  return all.reduce((best, one) => (one.apart < best.apart ? one : best));
}

const LIGHT = ":root";
const DARK = ':root[data-theme="dark"]';
const MORE = '[data-contrast="more"]';

describe.each([
  ["light", LIGHT, { text: 4.5, mark: 3, chroma: 0.08 }],
  ["dark", DARK, { text: 4.5, mark: 3, chroma: 0.08 }],
  ["high contrast, light", LIGHT + MORE, { text: 7, mark: 4.5, chroma: 0.07 }],
  ["high contrast, dark", DARK + MORE, { text: 7, mark: 4.5, chroma: 0.07 }],
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

  it.each([
    ["all cones", 0.16],
    ["no green cones", 0.1],
    ["no red cones", 0.1],
  ])("tells runs apart for eyes with %s", (eyes, apart) => {
    const colours = Array.from({ length: 8 }, (__, i) => colour(`run-${i + 1}`));
    const found = closest(colours, EYES[eyes] ?? []);
    expect(found.apart, found.pair).toBeGreaterThanOrEqual(apart);
  });

  it("draws runs in colours that are neither black nor white, nor those of a state", () => {
    const states = ["compute", "local", "transfer", "wait", "stall", "evaluate"].map(colour);
    for (let i = 1; i <= 8; i += 1) {
      const run = colour(`run-${i}`);
      const [lightness, ...rest] = placeOf(run, EYES["all cones"] ?? []);
      expect(Math.hypot(...rest), `chroma of run-${i}`).toBeGreaterThanOrEqual(least.chroma);
      expect(lightness, `lightness of run-${i}`).toBeGreaterThanOrEqual(0.3);
      for (const state of states)
        expect(closest([state, run], EYES["all cones"] ?? []).apart, `run-${i}`).toBeGreaterThanOrEqual(0.05);
    }
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
