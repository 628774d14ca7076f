import { useState } from "react";
import { api, ApiError } from "../api/client";
import { invalidate } from "../api/resource";
import type { Run } from "../api/types";
import { describeValue } from "../form/describe";
import { plural } from "../format";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Notice } from "../ui/Notice";

interface Props {
  runs: readonly Run[];
  onClose: () => void;
  onDeleted: (ids: string[]) => void;
}

const MAX_LISTED = 10;

/** Ask before runs are deleted for good; what cannot be deleted says why and stays. */
export function DeleteDialog({ runs, onClose, onDeleted }: Props) {
  const [isBusy, setBusy] = useState(false);
  const [errors, setErrors] = useState<string[]>([]);
  const remove = async () => {
    setBusy(true);
    const gone: string[] = [];
    const refusals: string[] = [];
    for (const run of runs) {
      try {
        await api.deleteRun(run.id);
        gone.push(run.id);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status === 404) gone.push(run.id);
        else refusals.push(`${run.name}: ${error.message}`);
      }
    }
    invalidate("runs");
    invalidate("experiment");
    onDeleted(gone);
    if (refusals.length === 0) onClose();
    setErrors(refusals);
    setBusy(false);
  };
  return (
    <Dialog
      title={`Delete ${plural(runs.length, "run")}?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep</Button>
          <Button kind="danger" isBusy={isBusy} disabled={runs.length === 0} onClick={() => void remove()}>
            Delete for good
          </Button>
        </>
      }
    >
      <p>Their events, checkpoints and logs are deleted from the disk. This cannot be undone.</p>
      <ul style={{ margin: "8px 0" }}>
        {runs.slice(0, MAX_LISTED).map(({ id, name, spec }) => (
          <li key={id}>
            {name}{" "}
            <span className="quiet">
              {describeValue(spec.policy)}, seed {spec.seed}
            </span>
          </li>
        ))}
        {runs.length > MAX_LISTED && <li className="quiet">and {runs.length - MAX_LISTED} more</li>}
      </ul>
      {errors.length > 0 && (
        <Notice kind="fault" title="Not all could be deleted.">
          {errors.map((error) => (
            <p key={error}>{error}</p>
          ))}
        </Notice>
      )}
    </Dialog>
  );
}
