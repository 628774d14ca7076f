import { useEffect, useMemo, useState } from "react";
import { api, ApiError } from "../api/client";
import type { Estimate, FieldProblem } from "../api/types";
import { onReconnect } from "../app/connection";
import { checkField } from "../form/check";
import { fieldAt, type GroupField } from "../form/schema";
import { parseSeeds, specOf, type Draft } from "./draft";

const PAUSE_MS = 250; // after the last keystroke

export interface Check {
  problems: FieldProblem[];
  estimate: Estimate | undefined; // the last one that could be made
  isCurrent: boolean; // the server has answered for the draft as it stands
  error: string; // why nothing is known, e.g. a lost connection
}

interface Answer {
  text: string;
  problems: FieldProblem[];
  estimate: Estimate | undefined;
  error: string;
}

/** Check the draft at every change: by the schema at once, then by the server, which also predicts what it costs. */
export function useCheck(draft: Draft, root: GroupField): Check {
  const text = useMemo(() => JSON.stringify(specOf(draft)), [draft]);
  const local = useMemo(() => checkDraft(draft, root), [draft, root]);
  const [answer, setAnswer] = useState<Answer>({ text: "", problems: [], estimate: undefined, error: "" });
  const [attempt, setAttempt] = useState(0);

  useEffect(() => onReconnect(() => setAttempt((old) => old + 1)), []);
  useEffect(() => {
    const controller = new AbortController();
    const timer = window.setTimeout(() => {
      void askServer(text, controller.signal).then((found) => {
        if (found) setAnswer((old) => ({ ...found, text, estimate: found.estimate ?? old.estimate }));
      });
    }, PAUSE_MS);
    return () => {
      window.clearTimeout(timer);
      controller.abort();
    };
  }, [text, attempt]);

  const isCurrent = answer.text === text;
  const isSeen = (field: string) => local.some((one) => field === one.field || field.startsWith(`${one.field}.`));
  const problems = isCurrent ? [...local, ...answer.problems.filter(({ field }) => !isSeen(field))] : local;
  return { problems, estimate: answer.estimate, isCurrent, error: isCurrent ? answer.error : "" };
}

async function askServer(text: string, signal: AbortSignal): Promise<Omit<Answer, "text"> | undefined> {
  const spec: unknown = JSON.parse(text);
  try {
    await api.checkExperiment(spec, signal);
    return { problems: [], estimate: await api.estimateExperiment(spec, signal), error: "" };
  } catch (error) {
    if (signal.aborted) return undefined;
    if (!(error instanceof ApiError)) throw error;
    const problems = error.problems.map((problem) => ({ ...problem, field: problem.field.replace(/^run\./, "") }));
    return { problems, estimate: undefined, error: problems.length > 0 ? "" : error.message };
  }
}

/** What can be told without the server. */
export function checkDraft(draft: Draft, root: GroupField): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (draft.name.trim() === "") problems.push({ field: "name", value: draft.name, wish: "is required" });
  const seeds = parseSeeds(draft.seeds);
  const wrong = seeds.find((seed) => typeof seed === "string");
  if (seeds.length === 0) problems.push({ field: "seeds", value: draft.seeds, wish: "needs at least one seed" });
  else if (wrong !== undefined)
    problems.push({ field: "seeds", value: wrong, wish: `must be whole numbers, got ${wrong}` });
  const isInGrid = (field: string) =>
    Object.keys(draft.grid).some((path) => field === path || field.startsWith(`${path}.`));
  problems.push(...checkField(root, specOf(draft).run, "").filter(({ field }) => !isInGrid(field)));
  for (const [path, values] of Object.entries(draft.grid)) {
    const field = fieldAt(root, path);
    if (field) problems.push(...values.flatMap((value) => checkField(field, value, path)));
  }
  return problems;
}
