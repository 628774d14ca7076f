import { useState, type KeyboardEvent } from "react";
import { api, ApiError } from "../api/client";
import { invalidate } from "../api/resource";
import type { Run } from "../api/types";
import { plural } from "../format";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Notice } from "../ui/Notice";
import { changeTags, readTags, sharedTags } from "./tags";
import css from "./TagDialog.module.css";

interface Props {
  runs: readonly Run[];
  known: readonly string[]; // offered while typing
  onClose: () => void;
}

/** Add tags to runs and take them away; a tag that only some carry says so. */
export function TagDialog({ runs, known, onClose }: Props) {
  const [added, setAdded] = useState<string[]>([]);
  const [removed, setRemoved] = useState<string[]>([]);
  const [typed, setTyped] = useState("");
  const [error, setError] = useState("");
  const [isSaving, setSaving] = useState(false);
  const tags = sharedTags(runs);

  const take = (text: string) => {
    const fresh = readTags(text);
    setAdded((old) => [...new Set([...old, ...fresh])]);
    setRemoved((old) => old.filter((tag) => !fresh.includes(tag)));
    setTyped("");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || typed.trim() === "") return;
    event.preventDefault();
    take(typed);
  };
  const save = async () => {
    setSaving(true);
    try {
      const all = [...added, ...readTags(typed)];
      for (const run of runs) {
        const next = changeTags(run.tags, all, removed);
        if (next.join() !== run.tags.join()) await api.changeRun(run.id, { tags: next });
      }
      invalidate("runs");
      invalidate("experiment");
      onClose();
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setError(problem.message);
      setSaving(false);
    }
  };

  return (
    <Dialog
      title={runs.length === 1 ? `Tags of ${runs[0]?.name ?? ""}` : `Tags of ${plural(runs.length, "run")}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" isBusy={isSaving} onClick={() => void save()}>
            Save tags
          </Button>
        </>
      }
    >
      <ul className={css.tags} aria-label="Tags">
        {tags.map(({ tag, num }) => {
          const isGone = removed.includes(tag);
          const isAdded = added.includes(tag);
          const isEverywhere = num === runs.length || isAdded;
          return (
            <li key={tag} data-gone={isGone || undefined}>
              <span>
                {tag}
                {!isEverywhere && <span className="quiet"> {`on ${num} of ${runs.length}`}</span>}
              </span>
              <button
                type="button"
                aria-label={isGone ? `Keep ${tag}` : `Take ${tag} away`}
                onClick={() => {
                  setRemoved(isGone ? removed.filter((one) => one !== tag) : [...removed, tag]);
                  setAdded(added.filter((one) => one !== tag));
                }}
              >
                {isGone ? "keep" : "×"}
              </button>
            </li>
          );
        })}
        {added
          .filter((tag) => !tags.some((one) => one.tag === tag))
          .map((tag) => (
            <li key={tag}>
              <span>{tag}</span>
              <button
                type="button"
                aria-label={`Take ${tag} away`}
                onClick={() => setAdded(added.filter((one) => one !== tag))}
              >
                ×
              </button>
            </li>
          ))}
      </ul>
      <label className={css.add}>
        New tags
        <input
          value={typed}
          list="known-tags"
          autoComplete="off"
          onChange={({ target }) => setTyped(target.value)}
          onKeyDown={onKeyDown}
          aria-describedby="tag-help"
        />
      </label>
      <datalist id="known-tags">
        {known.map((tag) => (
          <option key={tag} value={tag} />
        ))}
      </datalist>
      <p id="tag-help" className="quiet">
        Enter adds; commas part several.
      </p>
      {error !== "" && <Notice kind="fault">{error}</Notice>}
    </Dialog>
  );
}
