import { cssToken } from "../app/theme";
import { Kind, NUM_KINDS } from "../store/spans";
import type { Scale } from "./bars";
import { wordOf, type Texture } from "./pixels";

/** Colours and textures of the timeline, from the tokens of the theme that is shown. */
export interface Palette {
  fills: (string | CanvasPattern)[]; // by kind
  textures: (Texture | null)[]; // the same as pixels on the lanes' ground; null: one colour
  words: Uint32Array; // by kind: the mean of the texture, for columns that are too narrow for it, as a pixel
  solids: string[]; // the same by name
  surface: string;
  sunken: string;
  line: string;
  lineStrong: string;
  ink: string;
  inkQuiet: string;
  inkInverse: string;
  stallWord: number;
  forecast: CanvasPattern | string; // what is predicted and has not happened
  face: string;
}

/** Every texture repeats after this many CSS pixels, so that one shift moves them all. */
export const PERIOD = 8;

type Painting = (ctx: CanvasRenderingContext2D, colour: string, second: string) => void;

const solid: Painting = (ctx, colour) => {
  ctx.fillStyle = colour;
  ctx.fillRect(0, 0, PERIOD, PERIOD);
};

/** Lines along (dx, dy) through the tile, so that the tiles join. */
function stripes(ground: number, width: number, rises: boolean): Painting {
  return (ctx, colour) => {
    ctx.globalAlpha = ground;
    solid(ctx, colour, colour);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.lineCap = "square";
    ctx.beginPath();
    for (const shift of [-PERIOD, 0, PERIOD]) {
      ctx.moveTo(shift, rises ? PERIOD : 0);
      ctx.lineTo(shift + PERIOD, rises ? 0 : PERIOD);
    }
    ctx.stroke();
  };
}

/** Every state has its own texture, so that none is told by its colour alone. */
const TEXTURES: Record<Kind, Painting> = {
  [Kind.compute]: solid,
  [Kind.overlapped]: (ctx, colour, second) => {
    solid(ctx, colour, second);
    ctx.globalAlpha = 0.6;
    ctx.fillStyle = second;
    ctx.fillRect(1, 1, 2, 2);
    ctx.fillRect(1 + PERIOD / 2, 1 + PERIOD / 2, 2, 2);
  },
  [Kind.up]: (ctx, colour) => {
    ctx.globalAlpha = 0.55;
    solid(ctx, colour, colour);
    ctx.globalAlpha = 1;
    ctx.fillRect(0, 0, 2, PERIOD);
    ctx.fillRect(PERIOD / 2, 0, 2, PERIOD);
  },
  [Kind.down]: (ctx, colour) => TEXTURES[Kind.up](ctx, colour, colour),
  [Kind.wait]: stripes(0.5, 1.1, true),
  [Kind.evaluation]: (ctx, colour) => {
    ctx.globalAlpha = 0.5;
    solid(ctx, colour, colour);
    ctx.globalAlpha = 1;
    ctx.fillRect(0, 0, PERIOD, 2);
    ctx.fillRect(0, PERIOD / 2, PERIOD, 2);
  },
  [Kind.lost]: (ctx, colour) => {
    stripes(0.1, 1.2, true)(ctx, colour, colour);
    ctx.beginPath();
    for (const shift of [-PERIOD, 0, PERIOD]) {
      ctx.moveTo(shift, 0);
      ctx.lineTo(shift + PERIOD, PERIOD);
    }
    ctx.stroke();
  },
};

/** How much of its ground each texture covers on average. */
const MEANS: Record<Kind, number> = {
  [Kind.compute]: 1,
  [Kind.overlapped]: 1,
  [Kind.up]: 0.78,
  [Kind.wait]: 0.62,
  [Kind.down]: 0.78,
  [Kind.evaluation]: 0.75,
  [Kind.lost]: 0.4,
};

const TOKENS: Record<Kind, `--${string}`> = {
  [Kind.compute]: "--compute",
  [Kind.overlapped]: "--local",
  [Kind.up]: "--transfer",
  [Kind.wait]: "--wait",
  [Kind.down]: "--transfer",
  [Kind.evaluation]: "--evaluate",
  [Kind.lost]: "--stall",
};

/** Make the palette for a canvas with this many device pixels to a CSS pixel. */
export function makePalette(ratio: number): Palette {
  const fills: (string | CanvasPattern)[] = [];
  const textures: (Texture | null)[] = [];
  const words = new Uint32Array(NUM_KINDS);
  const ground = cssToken("--sunken");
  for (let index = 0; index < NUM_KINDS; index++) {
    const kind = index as Kind;
    const colour = cssToken(TOKENS[kind]);
    words[kind] = mix(colour, ground, MEANS[kind]);
    fills.push(kind === Kind.compute ? colour : tile(TEXTURES[kind], colour, ratio));
    textures.push(kind === Kind.compute ? null : wovenTile(TEXTURES[kind], colour, ratio, ground));
  }
  const ink = cssToken("--ink");
  const stall = cssToken("--stall");
  return {
    fills,
    textures,
    words,
    solids: Array.from(words, (word) => `rgb(${word & 255}, ${(word >> 8) & 255}, ${(word >> 16) & 255})`),
    surface: cssToken("--surface"),
    sunken: ground,
    line: cssToken("--line"),
    lineStrong: cssToken("--line-strong"),
    ink,
    inkQuiet: cssToken("--ink-quiet"),
    inkInverse: cssToken("--ink-inverse"),
    stallWord: mix(stall, stall, 1),
    forecast: tile(stripes(0.03, 0.8, false), cssToken("--ink-quiet"), ratio),
    face: cssToken("--face"),
  };
}

/** Draw a kind's sample, e.g. for the legend: the very texture of the lanes. */
export function paintSample(ctx: CanvasRenderingContext2D, kind: Kind, ratio: number): void {
  ctx.fillStyle = kind === Kind.compute ? cssToken(TOKENS[kind]) : tile(TEXTURES[kind], cssToken(TOKENS[kind]), ratio);
  ctx.fillRect(0, 0, ctx.canvas.width, ctx.canvas.height);
}

/** Mix two colours and give the result as a pixel. */
function mix(colour: string, ground: string, share: number): number {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const ctx = canvas.getContext("2d", { willReadFrequently: true });
  if (!ctx) return 0;
  ctx.fillStyle = ground;
  ctx.fillRect(0, 0, 1, 1);
  ctx.globalAlpha = share;
  ctx.fillStyle = colour;
  ctx.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = ctx.getImageData(0, 0, 1, 1).data;
  return wordOf(red, green, blue);
}

function tile(texture: Painting, colour: string, ratio: number): CanvasPattern | string {
  const ctx = paintTile(texture, colour, ratio, null);
  return ctx?.createPattern(ctx.canvas, "repeat") ?? colour;
}

/** Give a texture on a ground as pixels. */
function wovenTile(texture: Painting, colour: string, ratio: number, ground: string): Texture | null {
  const ctx = paintTile(texture, colour, ratio, ground);
  if (!ctx) return null;
  const { width } = ctx.canvas;
  return { period: width, words: new Uint32Array(ctx.getImageData(0, 0, width, width).data.buffer) };
}

function paintTile(texture: Painting, colour: string, ratio: number, ground: string | null): CanvasRenderingContext2D | null {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.max(1, Math.round(PERIOD * ratio));
  const ctx = canvas.getContext("2d");
  if (!ctx) return null;
  ctx.scale(canvas.width / PERIOD, canvas.height / PERIOD);
  if (ground !== null) solid(ctx, ground, ground);
  texture(ctx, colour, cssToken("--compute"));
  return ctx;
}

/** Bind the textures to the time grid, so that they move with what they fill. */
export function moveTextures({ fills, forecast }: Palette, { origin, ratio }: Scale): void {
  const period = Math.round(PERIOD * ratio);
  const shift = new DOMMatrix().translate(-(((origin % period) + period) % period), 0);
  for (const fill of [...fills, forecast]) if (typeof fill !== "string") fill.setTransform(shift);
}
