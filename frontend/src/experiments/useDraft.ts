import { useCallback, useEffect, useState } from "react";
import { api, ApiError } from "../api/client";
import type { Catalogue, Preset } from "../api/types";
import { changeQuery, navigate, useLocation } from "../app/router";
import { readSchema, type GroupField, type JsonSchema } from "../form/schema";
import { draftOf, type Draft } from "./draft";

/** The draft, where it came from, and what it was then. */
export interface Work {
  draft: Draft;
  origin: string; // "preset:demonstration", "experiment:ID", "run:ID"
  isChanged: boolean;
}

const KEY = "foresync.draft"; // the draft survives a visit to another page and a reload, in this tab

/** The demonstration first: the shortest way to see what this is about. */
export function orderPresets(presets: readonly Preset[]): Preset[] {
  const rank = ({ name }: Preset) => (name === "demonstration" ? 0 : 1);
  return presets.toSorted((a, b) => rank(a) - rank(b));
}

function restore(): Work | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "") as Work;
  } catch {
    return undefined; // none was kept
  }
}

export function forgetDraft(): void {
  sessionStorage.removeItem(KEY);
}

export interface DraftState {
  root: GroupField;
  work: Work | undefined; // undefined while what it is made from is fetched
  error: string;
  edit: (change: (draft: Draft) => Draft) => void;
  usePreset: (preset: Preset) => void;
}

/** Hold the draft: from the address (?from=EXPERIMENT, ?clone=RUN, ?preset=NAME), else the last one, else the first preset. */
export function useDraft(catalogue: Catalogue): DraftState {
  const { query } = useLocation();
  const [root] = useState(() => readSchema(catalogue.schema as JsonSchema));
  const open = useCallback(
    (preset: Preset): Work => ({
      draft: draftOf(preset.experiment, root, catalogue.defaults),
      origin: `preset:${preset.name}`,
      isChanged: false,
    }),
    [root, catalogue],
  );
  const [first] = orderPresets(catalogue.presets);
  const [work, setWork] = useState<Work | undefined>(() => restore() ?? (first && open(first)));
  const [error, setError] = useState("");

  const from = query.get("from");
  const clone = query.get("clone");
  const preset = query.get("preset");
  useEffect(() => {
    if (from === null && clone === null && preset === null) return;
    let isCurrent = true;
    const take = (next: Work) => {
      if (!isCurrent) return;
      setWork(next);
      const { pathname, search } = window.location;
      const rest = changeQuery(new URLSearchParams(search), { from: null, clone: null, preset: null });
      navigate(pathname + rest, { replace: true });
    };
    const load = async () => {
      if (from !== null) {
        const { spec } = await api.experiment(from);
        take({ draft: draftOf(spec, root, catalogue.defaults), origin: `experiment:${from}`, isChanged: false });
      } else if (clone !== null) {
        const { spec, experiment_name: name } = await api.run(clone);
        const like = { name, run: { ...spec }, grid: {}, seeds: [spec.seed] };
        take({ draft: draftOf(like, root, catalogue.defaults), origin: `run:${clone}`, isChanged: false });
      } else {
        const found = catalogue.presets.find(({ name }) => name === preset);
        if (found) take(open(found));
        else setError(`There is no preset ${preset ?? ""}.`);
      }
    };
    load().catch((problem: unknown) => {
      if (!(problem instanceof ApiError)) throw problem;
      if (isCurrent) setError(problem.message);
    });
    return () => {
      isCurrent = false;
    };
  }, [from, clone, preset, root, catalogue, open]);

  useEffect(() => {
    if (work?.isChanged) sessionStorage.setItem(KEY, JSON.stringify(work));
  }, [work]);

  const edit = useCallback((change: (draft: Draft) => Draft) => {
    setWork((old) => old && { ...old, draft: change(old.draft), isChanged: true });
  }, []);
  const usePreset = useCallback(
    (chosen: Preset) => {
      forgetDraft();
      setWork(open(chosen));
    },
    [open],
  );
  return { root, work, error, edit, usePreset };
}
