/** Plotly by dynamic import: its 1 MB is fetched when a comparison is first drawn. */

import type { Plotly } from "plotly.js-basic-dist-min";

export type { Plotly };

let loading: Promise<Plotly> | undefined;

export function loadPlotly(): Promise<Plotly> {
  loading ??= import("plotly.js-basic-dist-min").then(
    (module) => module.default,
    (error: unknown) => {
      loading = undefined; // so that a lost connection can be tried again
      throw error;
    },
  );
  return loading;
}
