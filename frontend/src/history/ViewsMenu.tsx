import { useState } from "react";
import { ApiError } from "../api/client";
import { invalidate, useResource } from "../api/resource";
import { Link } from "../app/Link";
import { Button } from "../ui/Button";
import { toast } from "../ui/Toasts";
import { historyApi } from "./historyApi";
import { Popover } from "./Popover";
import type { SavedView } from "./types";
import { BIN, writeView, type HistoryView } from "./view";
import css from "./Popover.module.css";

const KEY = "views";

/** Where a saved view leads. */
export function urlOf({ filter, sort, columns }: Pick<SavedView, "filter" | "sort" | "columns">, size: number): string {
  return `/runs${writeView({ filter, sort, columns, cursor: null, page: 1, size, selected: [] })}`;
}

/** Filters, orders and columns under a name, kept on the server for all who use it. */
export function ViewsMenu({ view }: { view: HistoryView }) {
  const { data, error } = useResource(KEY, historyApi.views);
  const [fault, setFault] = useState("");
  const here = urlOf(view, view.size);
  const attempt = async (act: () => Promise<unknown>) => {
    setFault("");
    try {
      await act();
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setFault(problem.message);
    }
    invalidate(KEY);
  };
  const remove = async (saved: SavedView) => {
    await historyApi.deleteView(saved.id);
    const { name, filter, sort, columns } = saved;
    const undo = () => attempt(() => historyApi.saveView({ name, filter, sort, columns }));
    toast({ text: `The view ${name} was deleted.`, action: { label: "Undo", run: undo } });
  };
  const views = data?.views ?? [];
  return (
    <Popover label="Views" title="Saved views">
      {(close) => (
        <>
          <div className={css.row}>
            <Link to="/runs" onClick={close} aria-current={here === "/runs" ? "page" : undefined}>
              All runs
            </Link>
          </div>
          {views.map((saved) => (
            <ViewRow
              key={saved.id}
              saved={saved}
              to={urlOf(saved, view.size)}
              isHere={urlOf(saved, view.size) === here}
              onClose={close}
              onRename={(name) => attempt(() => historyApi.changeView(saved.id, { name }))}
              onDelete={() => attempt(() => remove(saved))}
            />
          ))}
          <div className={css.row}>
            <Link to={`/runs?filter=${BIN}`} onClick={close} aria-current={view.filter === BIN ? "page" : undefined}>
              The bin
            </Link>
          </div>
          <h2>Save this view</h2>
          <NameForm
            label="Name of the view"
            button="Save"
            onName={(name) => {
              const { filter, sort, columns } = view;
              return attempt(() => historyApi.saveView({ name, filter, sort, columns }));
            }}
          />
          {(fault || error) && (
            <p className={css.fault} role="alert">
              {fault || error?.message}
            </p>
          )}
        </>
      )}
    </Popover>
  );
}

interface RowProps {
  saved: SavedView;
  to: string;
  isHere: boolean;
  onClose: () => void;
  onRename: (name: string) => Promise<void>;
  onDelete: () => Promise<void>;
}

function ViewRow({ saved, to, isHere, onClose, onRename, onDelete }: RowProps) {
  const [isNaming, setNaming] = useState(false);
  if (isNaming) {
    return (
      <NameForm
        label={`New name of ${saved.name}`}
        button="Rename"
        name={saved.name}
        onName={async (name) => {
          await onRename(name);
          setNaming(false);
        }}
      />
    );
  }
  return (
    <div className={css.row}>
      <Link to={to} onClick={onClose} title={saved.filter || "all runs"} aria-current={isHere ? "page" : undefined}>
        {saved.name}
      </Link>
      <Button kind="quiet" aria-label={`Rename the view ${saved.name}`} onClick={() => setNaming(true)}>
        Rename
      </Button>
      <Button kind="quiet" aria-label={`Delete the view ${saved.name}`} onClick={() => void onDelete()}>
        Delete
      </Button>
    </div>
  );
}

interface FormProps {
  label: string;
  button: string;
  name?: string;
  onName: (name: string) => Promise<void>;
}

function NameForm({ label, button, name = "", onName }: FormProps) {
  const [typed, setTyped] = useState(name);
  const submit = (event: Event) => {
    event.preventDefault();
    if (typed.trim() === "") return;
    void onName(typed.trim()).then(() => setTyped(""));
  };
  return (
    <form className={css.row} onSubmit={submit}>
      <input
        type="text"
        aria-label={label}
        placeholder={label}
        maxLength={80}
        value={typed}
        onChange={({ currentTarget }) => setTyped(currentTarget.value)}
      />
      <Button type="submit" disabled={typed.trim() === ""}>
        {button}
      </Button>
    </form>
  );
}
