import { useState } from "react";
import { plural } from "../format";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { changeRuns, numOf, type Target } from "./actions";
import { readTags, sharedTags } from "./tags";
import type { RunRow } from "./types";
import css from "./TagDialog.module.css";

interface Props {
  target: Target;
  rows: readonly RunRow[]; // those of the target that are known
  known: readonly string[]; // tags that are offered while typing
  onClose: () => void;
}

/** Add tags to runs and take them away; a tag that only some carry says so. */
export function TagDialog({ target, rows, known, onClose }: Props) {
  const [added, setAdded] = useState<string[]>([]);
  const [removed, setRemoved] = useState<string[]>([]);
  const [typed, setTyped] = useState("");
  const [isSaving, setSaving] = useState(false);
  const tags = sharedTags(rows);
  const num = numOf(target);

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
    const all = [...new Set([...added, ...readTags(typed)])];
    for (const tag of all) await changeRuns(target, "tag", tag);
    for (const tag of removed.filter((one) => !all.includes(one))) await changeRuns(target, "untag", tag);
    onClose();
  };

  return (
    <Dialog
      title={num === 1 && rows[0] ? `Tags of ${rows[0].name}` : `Tags of ${plural(num, "run")}`}
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
        {tags.map(({ tag, num: numTagged }) => {
          const isGone = removed.includes(tag);
          const isAdded = added.includes(tag);
          const isEverywhere = numTagged === num || isAdded;
          return (
            <li key={tag} data-gone={isGone || undefined}>
              <span>
                {tag}
                {!isEverywhere && <span className="quiet"> {`on ${numTagged} of ${num}`}</span>}
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
          onChange={({ currentTarget }) => setTyped(currentTarget.value)}
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
        {rows.length < num && ` Shown are the tags of the ${plural(rows.length, "run")} that this page has listed.`}
      </p>
    </Dialog>
  );
}
