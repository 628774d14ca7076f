import { useCallback, useEffect, useState } from "react";
import { api, ApiError } from "../api/client";
import type { Catalogue, ExperimentSpec, Preset } from "../api/types";
import { onReconnect } from "../app/connection";
import { changeQuery, currentQuery, navigate, useLocation } from "../app/router";
import { complete, readSchema, type GroupField, type JsonSchema } from "../form/schema";
import type { Data } from "../form/values";
import { draftOf, type Draft } from "./draft";

/** The draft, where it came from, and what it was then. */
export interface Work {
  draft: Draft;
  origin: string; // "preset:demonstration", "experiment:ID", "run:ID", "file:NAME"
  isChanged: boolean;
}

const KEY = "foresync.draft"; // the draft survives a visit to another page and a reload, in this tab

/** The demonstration first: the shortest way to see what this is about. */
export function orderPresets(presets: readonly Preset[]): Preset[] {
  const rank = ({ name }: Preset) => (name === "demonstration" ? 0 : 1);
  return presets.toSorted((a, b) => rank(a) - rank(b));
}

/** Give back the draft that was kept, completed by the server's schema of today. */
function restore(root: GroupField): Work | undefined {
  let kept: Partial<Work>;
  try {
    kept = JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as Partial<Work>;
  } catch {
    return undefined; // somebody else's text under this key
  }
  const { draft, origin } = kept;
  if (!draft || typeof draft.name !== "string" || typeof draft.seeds !== "string" || typeof origin !== "string")
    return undefined;
  return { draft: { ...draft, run: complete(root, draft.run) as Data }, origin, isChanged: true };
}

export function forgetDraft(): void {
  sessionStorage.removeItem(KEY);
}

/** The first preset; an experiment of the plain defaults where the server offers none. */
function openFirst({ presets }: Catalogue, open: (preset: Preset) => Work): Work {
  const [first] = orderPresets(presets);
  const plain = { name: "Experiment", run: {}, grid: {}, seeds: [1] };
  return open(first ?? { name: "", title: "", description: "", experiment: plain });
}

export interface DraftState {
  root: GroupField;
  work: Work | undefined; // undefined while what the address names is fetched
  error: string;
  edit: (change: (draft: Draft) => Draft) => void;
  usePreset: (preset: Preset) => void;
  useSpec: (spec: ExperimentSpec) => void; // e.g. of a file
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
  const [work, setWork] = useState<Work>(() => restore(root) ?? openFirst(catalogue, open));
  const [fault, setFault] = useState({ opening: "", message: "" });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => onReconnect(() => setAttempt((num) => num + 1)), []);

  const from = query.get("from");
  const clone = query.get("clone");
  const preset = query.get("preset");
  const isOpening = from !== null || clone !== null || preset !== null;
  const opening = JSON.stringify([from, clone, preset]);
  useEffect(() => {
    if (!isOpening) return;
    const fail = (message: string) => setFault({ opening, message });
    let isCurrent = true;
    const take = (next: Work) => {
      if (!isCurrent) return;
      setWork(next);
      const rest = changeQuery(currentQuery(), { from: null, clone: null, preset: null });
      navigate(window.location.pathname + rest, { replace: true });
    };
    const load = async () => {
      if (from !== null) {
        const { spec } = await api.experiment(from);
        take({ draft: draftOf(spec, root, catalogue.defaults), origin: `experiment:${from}`, isChanged: false });
      } else if (clone !== null) {
        const { spec_in_force: spec, experiment_name: name } = await api.run(clone);
        const like = { name, run: { ...spec }, grid: {}, seeds: [spec.seed] };
        take({ draft: draftOf(like, root, catalogue.defaults), origin: `run:${clone}`, isChanged: false });
      } else {
        const found = catalogue.presets.find(({ name }) => name === preset);
        if (found) take(open(found));
        else fail(`There is no preset ${preset ?? ""}.`);
      }
    };
    load().catch((problem: unknown) => {
      if (!(problem instanceof ApiError)) throw problem;
      if (isCurrent) fail(problem.message);
    });
    return () => {
      isCurrent = false;
    };
  }, [isOpening, opening, from, clone, preset, root, catalogue, open, attempt]);

  useEffect(() => {
    if (work.isChanged) sessionStorage.setItem(KEY, JSON.stringify(work));
  }, [work]);

  const edit = useCallback((change: (draft: Draft) => Draft) => {
    setWork((old) => ({ ...old, draft: change(old.draft), isChanged: true }));
  }, []);
  const usePreset = useCallback(
    (chosen: Preset) => {
      forgetDraft();
      setWork(open(chosen));
    },
    [open],
  );
  const useSpec = useCallback(
    (spec: ExperimentSpec) =>
      setWork({ draft: draftOf(spec, root, catalogue.defaults), origin: `file:${spec.name}`, isChanged: true }),
    [root, catalogue],
  );
  const error = isOpening && fault.opening === opening ? fault.message : "";
  return { root, work: isOpening ? undefined : work, error, edit, usePreset, useSpec };
}
