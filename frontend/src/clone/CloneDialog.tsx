import { useMemo, useState } from "react";
import { api, ApiError } from "../api/client";
import { invalidate, useResource } from "../api/resource";
import type { Catalogue, FieldProblem, Run } from "../api/types";
import { navigate } from "../app/router";
import { draftOf, type Draft } from "../experiments/draft";
import { SettingsForm } from "../experiments/SettingsForm";
import { checkField } from "../form/check";
import { describePath, describeValue } from "../form/describe";
import { readSchema, type GroupField, type JsonSchema } from "../form/schema";
import { changesBetween, getAt } from "../form/values";
import { plural } from "../format";
import { Button, ButtonLink } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Notice } from "../ui/Notice";
import { SkeletonRows } from "../ui/Skeleton";
import css from "./CloneDialog.module.css";

interface Props {
  run: Run;
  onClose: () => void;
}

/** Clone a run with changes: its settings, open for editing, what has been changed, and the start. */
export function CloneDialog({ run, onClose }: Props) {
  const { data: catalogue, error } = useResource("catalogue", api.catalogue);
  if (catalogue) return <Editor run={run} catalogue={catalogue} onClose={onClose} />;
  return (
    <Dialog title={`Clone “${run.name}”`} onClose={onClose} isWide>
      {error ? <Notice kind="fault">{error.message}</Notice> : <SkeletonRows num={8} label="Loading the settings" />}
    </Dialog>
  );
}

function Editor({ run, catalogue, onClose }: Props & { catalogue: Catalogue }) {
  const root = useMemo(() => readSchema(catalogue.schema as JsonSchema), [catalogue]);
  const before = useMemo(() => openRun(run, root, catalogue), [run, root, catalogue]);
  const [draft, setDraft] = useState(before);
  const [name, setName] = useState(run.name);
  const [refused, setRefused] = useState<{ problems: FieldProblem[]; message: string }>({ problems: [], message: "" });
  const [isBusy, setBusy] = useState(false);
  const changes = changesBetween(before.run, draft.run);
  const problems = [...checkField(root, draft.run, ""), ...refused.problems];
  const edit = (change: (old: Draft) => Draft) => {
    setRefused({ problems: [], message: "" });
    setDraft(change);
  };
  const start = async () => {
    setBusy(true);
    try {
      const clone = await api.cloneRun(run.id, changes, name.trim() === run.name ? null : name.trim());
      invalidate("runs");
      invalidate("experiment");
      invalidate("queue");
      onClose();
      navigate(`/runs/${clone.id}`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setRefused({ problems: error.problems, message: error.message });
      setBusy(false);
    }
  };
  const num = Object.keys(changes).length;
  return (
    <Dialog
      title={`Clone “${run.name}”`}
      onClose={onClose}
      isWide
      actions={
        <>
          <ButtonLink kind="quiet" to={`/experiments?clone=${run.id}`} className={css.asExperiment ?? ""}>
            Compare several values instead
          </ButtonLink>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            isBusy={isBusy}
            disabled={problems.length > 0 || name.trim() === ""}
            onClick={() => void start()}
          >
            {num === 0 ? "Start the same again" : `Start with ${plural(num, "change")}`}
          </Button>
        </>
      }
    >
      <div className={css.head}>
        <label>
          Name
          <input value={name} maxLength={120} autoComplete="off" onChange={({ currentTarget }) => setName(currentTarget.value)} />
        </label>
        <SeedInput draft={draft} edit={edit} />
      </div>
      <SettingsForm
        catalogue={catalogue}
        root={root}
        draft={draft}
        problems={problems}
        edit={edit}
        isGridAllowed={false}
        isOpen
      />
      <Changes before={before.run} changes={changes} />
      {refused.message !== "" && <Notice kind="fault">{refused.message}</Notice>}
    </Dialog>
  );
}

function openRun(run: Run, root: GroupField, catalogue: Catalogue): Draft {
  const spec = { name: run.name, run: { ...run.spec_in_force }, grid: {}, seeds: [run.spec.seed] };
  return draftOf(spec, root, catalogue.defaults);
}

function SeedInput({ draft, edit }: { draft: Draft; edit: (change: (old: Draft) => Draft) => void }) {
  const seed = draft.run["seed"];
  const set = (text: string) =>
    edit((old) => ({ ...old, run: { ...old.run, seed: /^\d+$/.test(text.trim()) ? Number(text) : text } }));
  return (
    <label>
      Seed
      <input
        className={css.seed}
        inputMode="numeric"
        autoComplete="off"
        value={typeof seed === "number" || typeof seed === "string" ? seed : ""}
        aria-invalid={typeof seed !== "number" || undefined}
        onChange={({ currentTarget }) => set(currentTarget.value)}
      />
    </label>
  );
}

function Changes({ before, changes }: { before: unknown; changes: Record<string, unknown> }) {
  return (
    <div className={css.changes} aria-live="polite">
      {Object.entries(changes).map(([path, value]) => (
        <p key={path}>
          <b>{describePath(path)}</b> {describe(value)}{" "}
          <span className="quiet">was {describe(getAt(before, path))}</span>
        </p>
      ))}
    </div>
  );
}

const describe = (value: unknown) => (value === "" ? "empty" : describeValue(value));
