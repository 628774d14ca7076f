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
      <button
        type="button"
        className={css.editTags}
        aria-label={`Edit the tags of ${row.name}, seed ${row.seed}`}
        onClick={onEdit}
      >
        {row.tags.length > 0 ? "edit" : "+ tag"}
      </button>
    </span>
  );
}
