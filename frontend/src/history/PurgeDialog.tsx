import { useState } from "react";
import { ApiError } from "../api/client";
import { formatCount, plural } from "../format";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Notice } from "../ui/Notice";
import { toast } from "../ui/Toasts";
import { numOf, purgeRuns, type Target } from "./actions";

interface Props {
  target: Target;
  onClose: () => void;
  onDone: () => void;
}

/** Ask before runs of the bin are deleted for good. */
export function PurgeDialog({ target, onClose, onDone }: Props) {
  const [numGone, setNumGone] = useState<number | null>(null);
  const [error, setError] = useState("");
  const num = numOf(target);
  const purge = async () => {
    setError("");
    setNumGone(0);
    try {
      const gone = await purgeRuns(target, setNumGone);
      toast({ text: `Deleted ${plural(gone, "run")} for good.` });
      onDone();
      onClose();
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setError(problem.message);
      setNumGone(null);
    }
  };
  return (
    <Dialog
      title={`Delete ${plural(num, "run")} for good?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep</Button>
          <Button kind="danger" isBusy={numGone !== null} onClick={() => void purge()}>
            {numGone === null ? "Delete for good" : `${formatCount(numGone)} deleted`}
          </Button>
        </>
      }
    >
      <p>{num === 1 ? "Its" : "Their"} events, checkpoints and logs are deleted from the disk. This cannot be undone.</p>
      {error !== "" && <Notice kind="fault">{error}</Notice>}
    </Dialog>
  );
}
