import { SmallButton } from "../ui/SmallButton";
import type { RunRow } from "./types";
import css from "./HistoryPage.module.css";

interface Props {
  row: RunRow;
  onFilter: (tag: string) => void;
  onEdit: () => void;
}

/** A run's tags: each narrows the list down to it. */
export function TagCell({ row, onFilter, onEdit }: Props) {
  return (
    <span className={css.tags}>
      {row.tags.map((tag) => (
        <button
          key={tag}
          type="button"
          className={css.tag}
          title={`Show only runs with the tag ${tag}`}
          onClick={() => onFilter(tag)}
        >
          {tag}
        </button>
      ))}
      <SmallButton className={css.editTags ?? ""} onClick={onEdit}>
        {row.tags.length > 0 ? "edit" : "+ tag"}
        <span className="unseen">
          {row.tags.length > 0 ? " the tags of" : " for"} {row.name}, seed {row.seed}
        </span>
      </SmallButton>
    </span>
  );
}
