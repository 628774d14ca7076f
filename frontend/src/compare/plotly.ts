/**
 * Plotly by dynamic import: its 1 MB is fetched when a comparison is first drawn. The page's hints fetch it early; it
 * runs once the tables stand, since running it takes as long as drawing them.
 */

import type { Plotly } from "plotly.js-basic-dist-min";

export type { Plotly };

let loading: Promise<Plotly> | undefined;

const LONGEST_MS = 300; // that the figures wait for a page that is always busy

export function loadPlotly(): Promise<Plotly> {
  loading ??= pause()
    .then(() => import("plotly.js-basic-dist-min"))
    .then(
      (module) => module.default,
      (error: unknown) => {
        loading = undefined; // so that a lost connection can be tried again
        throw error;
      },
    );
  return loading;
}

/** Wait until what is to be drawn has been drawn. */
export function pause(): Promise<void> {
  return new Promise((done) => {
    if ("requestIdleCallback" in window) window.requestIdleCallback(() => done(), { timeout: LONGEST_MS });
    else setTimeout(done);
  });
}
