/**
 * How runs look in a comparison: a colour that stays with the run, a dash and a marker.
 *
 * The colour comes from the run's id. Only where two runs that are compared would have the same does the later one take
 * the next free colour; what was once given is remembered in this browser. More runs than colours share a colour and
 * differ in the marker. The dash tells neighbours in the list apart. How far the colours lie from each other, for
 * colour-blind eyes too, is measured in styles/tokens.test.ts.
 */

export const NUM_COLOURS = 8; // --run-1 ... --run-8
export const DASHES = ["solid", "dash", "dot", "dashdot"] as const;
export const MARKERS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star", "triangle-down"] as const;

export type Dash = (typeof DASHES)[number];
export type Marker = (typeof MARKERS)[number];

export const DASH_LENGTHS: Record<Dash, readonly number[]> = { solid: [], dash: [6, 3], dot: [2, 2.5], dashdot: [6, 2.5, 2, 2.5] }; // px

/** Outlines around (0, 0), about 9 px wide. */
export const MARKER_PATHS: Record<Marker, string> = {
  circle: "M4 0a4 4 0 1 1-8 0a4 4 0 1 1 8 0z",
  square: "M-3.5-3.5h7v7h-7z",
  diamond: "M0-5l5 5-5 5-5-5z",
  "triangle-up": "M0-4.5l4.6 8h-9.2z",
  "triangle-down": "M0 4.5l4.6-8h-9.2z",
  cross: "M-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z",
  x: "M-3-4.5l3 3 3-3 1.5 1.5-3 3 3 3-1.5 1.5-3-3-3 3-1.5-1.5 3-3-3-3z",
  star: "M0-5.5l1.7 3.7 4 .4-3 2.7.9 4-3.6-2.1-3.6 2.1.9-4-3-2.7 4-.4z",
};

export interface RunStyle {
  colour: number; // 1 ... NUM_COLOURS
  dash: Dash;
  marker: Marker;
}

const KEY = "foresync.runColours";
const MAX_REMEMBERED = 1000;

/** FNV-1a with a final mix: close ids get far colours. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** Give each run its colour (0 ... NUM_COLOURS - 1); `remembered` wins over the id, the id over what is free. */
export function chooseColours(ids: readonly string[], remembered: ReadonlyMap<string, number>): Map<string, number> {
  const chosen = new Map<string, number>();
  const taken = new Set<number>();
  for (const id of ids) {
    const colour = remembered.get(id);
    if (colour === undefined || colour < 0 || colour >= NUM_COLOURS) continue;
    if (taken.has(colour) && ids.length <= NUM_COLOURS) continue; // given to each where the other was not beside it
    chosen.set(id, colour);
    taken.add(colour);
  }
  for (const id of ids.toSorted()) {
    if (chosen.has(id)) continue;
    let colour = hashOf(id) % NUM_COLOURS;
    while (taken.has(colour) && taken.size < NUM_COLOURS) colour = (colour + 3) % NUM_COLOURS;
    chosen.set(id, colour);
    taken.add(colour);
  }
  return chosen;
}

/** The whole looks of runs by id: those that share a colour differ in the marker, neighbours in the dash. */
export function stylesFrom(ids: readonly string[], colours: ReadonlyMap<string, number>): Map<string, RunStyle> {
  const numOf = new Map<number, number>();
  const styles = new Map<string, RunStyle>();
  for (const [rank, id] of ids.entries()) {
    const colour = colours.get(id) ?? 0;
    const round = numOf.get(colour) ?? 0;
    numOf.set(colour, round + 1);
    styles.set(id, {
      colour: colour + 1,
      dash: DASHES[rank % DASHES.length] ?? "solid",
      marker: MARKERS[(colour + 3 * round) % MARKERS.length] ?? "circle",
    });
  }
  return styles;
}

function recall(): Map<string, number> {
  try {
    return new Map(JSON.parse(localStorage.getItem(KEY) ?? "[]") as [string, number][]);
  } catch {
    return new Map(); // somebody else's text under this key
  }
}

/** Give runs their looks, and remember the colours. */
export function styleRuns(ids: readonly string[]): Map<string, RunStyle> {
  const remembered = recall();
  const colours = chooseColours(ids, remembered);
  const isNew = ids.some((id) => !remembered.has(id));
  if (isNew) {
    const all = [...remembered, ...[...colours].filter(([id]) => !remembered.has(id))];
    try {
      localStorage.setItem(KEY, JSON.stringify(all.slice(-MAX_REMEMBERED)));
    } catch {
      // A browser that may not keep anything: the colours then come from the ids alone.
    }
  }
  return stylesFrom(ids, colours);
}

/** Settings as `styleRuns` needs them: by the id of the earliest run. */
interface Setting {
  id: string;
  run_ids: readonly string[];
}

/**
 * Give settings their looks, by id. The only run of a setting lends it its own; a setting with several runs has a colour
 * for itself, so that few settings are told apart by colour however many runs there are.
 */
export function styleSettings(settings: readonly Setting[], ofRuns: ReadonlyMap<string, RunStyle>): Map<string, RunStyle> {
  const keyOf = ({ id, run_ids: runs }: Setting) => (runs.length === 1 ? id : `setting ${id}`);
  const styles = styleRuns(settings.map(keyOf));
  return new Map(
    settings.flatMap((setting) => {
      const style = (setting.run_ids.length === 1 ? ofRuns.get(setting.id) : undefined) ?? styles.get(keyOf(setting));
      return style ? [[setting.id, style] as const] : [];
    }),
  );
}
