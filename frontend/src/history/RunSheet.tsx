import { useState } from "react";
import { api, ApiError } from "../api/client";
import { useResource } from "../api/resource";
import type { Run, RunPatch } from "../api/types";
import { Link } from "../app/Link";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Notice } from "../ui/Notice";
import { SkeletonRows } from "../ui/Skeleton";
import { toast } from "../ui/Toasts";
import { changeRuns, refreshRuns } from "./actions";
import { useBaseline } from "./baseline";
import { readTags } from "./tags";
import css from "./RunSheet.module.css";

const MAX_NOTES = 20_000;

/** One run's name, tags and notes, and what can be done with it. */
export function RunSheet({ runId, onClose }: { runId: string; onClose: () => void }) {
  const { data, error } = useResource(`run/${runId}`, (signal) => api.run(runId, signal));
  if (data) return <Sheet key={data.id} run={data} onClose={onClose} />;
  return (
    <Dialog title="Run" onClose={onClose}>
      {error ? <Notice kind="fault">{error.message}</Notice> : <SkeletonRows num={5} label="Loading the run" />}
    </Dialog>
  );
}

/** What a person writes of a run; the tags as one line. */
interface Texts {
  name: string;
  tags: string;
  notes: string;
}

function Sheet({ run, onClose }: { run: Run; onClose: () => void }) {
  const [edits, setEdits] = useState<Partial<Texts>>({}); // the rest is as the run has it by now
  const now: Texts = { name: run.name, tags: run.tags.join(", "), notes: run.notes };
  const { name, tags, notes } = { ...now, ...edits };
  const [isSaving, setSaving] = useState(false);
  const [error, setError] = useState("");
  const save = async (event?: Event) => {
    event?.preventDefault();
    setSaving(true);
    const edited = (Object.keys(edits) as (keyof Texts)[]).filter((key) => edits[key] !== now[key]);
    const only = (texts: Texts) => patchOf(Object.fromEntries(edited.map((key) => [key, texts[key]])));
    try {
      if (edited.length > 0) {
        await api.changeRun(run.id, only({ name, tags, notes }));
        toast({ text: `Saved ${name.trim()}.`, action: { label: "Undo", run: () => undo(run.id, only(now)) } });
        refreshRuns();
      }
      onClose();
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setError(problem.message);
      setSaving(false);
    }
  };
  const act = (change: "archive" | "unarchive" | "delete" | "restore") => {
    void changeRuns({ ids: [run.id] }, change);
    onClose();
  };
  return (
    <Dialog
      title={run.name}
      onClose={onClose}
      isWide
      actions={
        <>
          <PinButton run={run} onError={setError} />
          {run.deleted_at === null ? (
            <>
              <Button kind="quiet" onClick={() => act(run.is_archived ? "unarchive" : "archive")}>
                {run.is_archived ? "Take out of the archive" : "Archive"}
              </Button>
              <Button kind="quiet" onClick={() => act("delete")}>
                Delete
              </Button>
            </>
          ) : (
            <Button kind="quiet" onClick={() => act("restore")}>
              Restore
            </Button>
          )}
          <span className={css.space} />
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" isBusy={isSaving} disabled={name.trim() === ""} onClick={() => void save()}>
            Save
          </Button>
        </>
      }
    >
      <form className={css.sheet} onSubmit={(event) => void save(event)}>
        <label>
          Name
          <input type="text" value={name} maxLength={120} onChange={({ currentTarget }) => setEdits({ ...edits, name: currentTarget.value })} />
        </label>
        <label>
          Tags
          <input
            type="text"
            value={tags}
            placeholder="parted by commas"
            autoComplete="off"
            onChange={({ currentTarget }) => setEdits({ ...edits, tags: currentTarget.value })}
          />
        </label>
        <label>
          Notes
          <textarea rows={10} value={notes} maxLength={MAX_NOTES} onChange={({ currentTarget }) => setEdits({ ...edits, notes: currentTarget.value })} />
        </label>
        <p className="quiet">
          <Link to={`/runs/${run.id}`} onClick={onClose}>
            Open the run
          </Link>{" "}
          · experiment{" "}
          <Link to={`/experiments/${run.experiment_id}`} onClick={onClose}>
            {run.experiment_name}
          </Link>
        </p>
        <button type="submit" hidden disabled={name.trim() === ""} />
      </form>
      {error !== "" && <Notice kind="fault">{error}</Notice>}
    </Dialog>
  );
}

/** What the page sends of the texts that were edited: nothing of the others, which may have been changed elsewhere. */
function patchOf({ name, tags, notes }: Partial<Texts>): Partial<RunPatch> {
  return {
    ...(name !== undefined && { name: name.trim() }),
    ...(tags !== undefined && { tags: readTags(tags) }),
    ...(notes !== undefined && { notes }),
  };
}

async function undo(runId: string, patch: Partial<RunPatch>): Promise<void> {
  try {
    await api.changeRun(runId, patch);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast({ text: error.message });
  }
  refreshRuns();
}

/** Make the run the baseline, or have none. */
export function PinButton({ run, onError }: { run: Pick<Run, "id" | "deleted_at">; onError: (error: string) => void }) {
  const baseline = useBaseline();
  const isPinned = baseline.run?.id === run.id;
  const toggle = async () => {
    try {
      await (isPinned ? baseline.unpin() : baseline.pin(run.id));
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      onError(problem.message);
    }
  };
  return (
    <Button kind="quiet" aria-pressed={isPinned} disabled={run.deleted_at !== null} onClick={() => void toggle()}>
      {isPinned ? "Unpin the baseline" : "Pin as baseline"}
    </Button>
  );
}
