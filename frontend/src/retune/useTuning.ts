import { useEffect, useState } from "react";
import { ApiError } from "../api/client";
import { control, type Tuning } from "../api/control";
import { invalidate, useResource } from "../api/resource";
import type { FieldProblem, Run } from "../api/types";
import { changesBetween, isData, setAt, type Data } from "../form/values";

/** The settings of a run that can be changed while it trains. */
export interface Parts {
  policy: Data;
  forecaster: Data | null;
}

/** A request whose effect is not in the log yet. */
export interface Asked {
  afterSeq: number; // infinite until the server has taken it
  edits: Data; // that it is about
}

export interface Retuning {
  tuning: Tuning | undefined;
  error: string; // why nothing is known
  now: Parts | undefined; // what the run trains with
  draft: Parts | undefined; // the same with what is being changed
  changes: Data; // by dotted path
  edit: (path: string, value: unknown) => void;
  discard: () => void;
  apply: () => void;
  asked: Asked | null;
  isLate: boolean; // the run takes longer than usual to say that it has changed
  refused: { problems: FieldProblem[]; message: string };
}

const NOTHING_REFUSED = { problems: [], message: "" };
const ASKED_POLL_MS = 300;
const LATE_MS = 10_000;

/**
 * Hold changes of a running run: what it trains with, what is being edited, and what was asked for.
 *
 * Args:
 *   run: whose settings.
 *   numRetuned: how often its log has told of a change; what is known is asked for again when that grows.
 */
export function useTuning(run: Run, numRetuned: number): Retuning {
  const [asked, setAsked] = useState<Asked | null>(null);
  const key = `tuning:${run.id}:${run.state}:${numRetuned}`;
  const { data, error } = useResource(key, (signal) => control.tuning(run.id, signal), asked ? ASKED_POLL_MS : 0);
  const [tuning, setTuning] = useState(data);
  if (data && data !== tuning) setTuning(data);
  const [edits, setEdits] = useState<Data>({});
  const [refused, setRefused] = useState<Retuning["refused"]>(NOTHING_REFUSED);
  const isLate = useIsLate(asked);

  if (asked && tuning?.changes.some(({ seq }) => seq > asked.afterSeq)) {
    setAsked(null);
    setEdits(without(edits, asked.edits));
  } else if (asked && tuning && !tuning.is_possible) setAsked(null); // it ended first; the changes stay, to be cloned

  const now = tuning && partsOf(tuning);
  const draft = now && withEdits(now, edits);
  const changes = now && draft ? changesBetween(now, draft) : {};
  const edit = (path: string, value: unknown) => {
    setRefused(NOTHING_REFUSED);
    setEdits((old) => ({ ...dropInside(old, path), [path]: value }));
  };
  const apply = () => {
    setRefused(NOTHING_REFUSED);
    setAsked({ afterSeq: Infinity, edits });
    const { policy, forecaster } = requestOf(changes);
    control.retune(run.id, policy, forecaster).then(
      ({ after_seq: afterSeq }) => {
        setAsked({ afterSeq, edits });
        invalidate(`tuning:${run.id}`);
      },
      (problem: unknown) => {
        setAsked(null);
        if (!(problem instanceof ApiError)) throw problem;
        setRefused({ problems: problem.problems, message: problem.problems.length > 0 ? "" : problem.message });
      },
    );
  };
  const discard = () => {
    setEdits({});
    setRefused(NOTHING_REFUSED);
  };
  return { tuning, error: error?.message ?? "", now, draft, changes, edit, discard, apply, asked, isLate, refused };
}

function partsOf({ policy, forecaster }: Tuning): Parts {
  return { policy, forecaster };
}

/** Lay what was edited on what the run trains with now, so that a change by somebody else shows through. */
function withEdits(now: Parts, edits: Data): Parts {
  let data: unknown = now;
  // A whole forecaster before a setting of it.
  for (const [path, value] of Object.entries(edits).toSorted(([a], [b]) => a.length - b.length))
    data = setAt(data, path, value);
  return data as Parts;
}

/** What was edited since others were sent. */
function without(edits: Data, sent: Data): Data {
  return Object.fromEntries(Object.entries(edits).filter(([path, value]) => !(path in sent) || sent[path] !== value));
}

function dropInside(edits: Data, path: string): Data {
  return Object.fromEntries(Object.entries(edits).filter(([one]) => !one.startsWith(`${path}.`)));
}

/** Give the changes as the server takes them: {"policy.threshold": 5} -> {policy: {threshold: 5}}. */
export function requestOf(changes: Data): { policy: Data; forecaster: Data } {
  const request: { policy: Data; forecaster: Data } = { policy: {}, forecaster: {} };
  for (const [path, value] of Object.entries(changes)) {
    const [part = "", ...rest] = path.split(".");
    if (part !== "policy" && part !== "forecaster") continue;
    if (rest.length === 0) request[part] = isData(value) ? value : {};
    else request[part] = { ...request[part], [rest.join(".")]: value };
  }
  return request;
}

function useIsLate(asked: Asked | null): boolean {
  const [lateFor, setLateFor] = useState<Asked | null>(null);
  useEffect(() => {
    if (!asked) return;
    const timer = window.setTimeout(() => setLateFor(asked), LATE_MS);
    return () => window.clearTimeout(timer);
  }, [asked]);
  return asked !== null && lateFor === asked;
}
