/**
 * The code of the pages, each fetched when it is first shown.
 *
 * Without Suspense: React holds back what follows a fallback for 300 ms, which is longer than fetching a page takes.
 */

import { useEffect, useState, type ReactNode } from "react";
import type { Page } from "./router";

type Name = Exclude<Page["name"], "unknown">;
type Draw = (page: Page) => ReactNode;

const idOf = (page: Page) => ("id" in page ? page.id : "");

const LOADERS: Record<Name, () => Promise<Draw>> = {
  experiments: async () => {
    const { ExperimentsPage } = await import("../experiments/ExperimentsPage");
    return () => <ExperimentsPage />;
  },
  experiment: async () => {
    const { ExperimentPage } = await import("../experiments/ExperimentPage");
    return (page) => <ExperimentPage key={idOf(page)} experimentId={idOf(page)} />;
  },
  history: async () => {
    const { HistoryPage } = await import("../history/HistoryPage");
    return () => <HistoryPage />;
  },
  run: async () => {
    const { RunPage } = await import("../run/RunPage");
    return (page) => <RunPage key={idOf(page)} runId={idOf(page)} />;
  },
  compare: async () => {
    const { ComparePage } = await import("../compare/ComparePage");
    return () => <ComparePage />;
  },
};

const loaded = new Map<Name, Draw>();

/** Fetch the code of a page, unless it is there. */
export async function loadPage(name: Page["name"]): Promise<void> {
  if (name !== "unknown" && !loaded.has(name)) loaded.set(name, await LOADERS[name]());
}

/** Give what draws a page; undefined while its code is fetched. Throws where that has failed. */
export function usePage(name: Page["name"]): Draw | undefined {
  const [failure, setFailure] = useState<Error>();
  const [, setCount] = useState(0);
  const draw = name === "unknown" ? undefined : loaded.get(name);
  useEffect(() => {
    if (draw) return;
    let isShown = true;
    loadPage(name).then(
      () => isShown && setCount((count) => count + 1),
      (error: unknown) => isShown && setFailure(error instanceof Error ? error : new Error(String(error))),
    );
    return () => {
      isShown = false;
    };
  }, [name, draw]);
  if (failure) throw failure;
  return draw;
}
