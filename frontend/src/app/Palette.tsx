import { useEffect, useId, useMemo, useState, useSyncExternalStore } from "react";
import { api } from "../api/client";
import { useKept, useResource } from "../api/resource";
import { experimentsAsCommands, find, localCommands, runsAsCommands, type Command, type Found } from "./commands";
import { keysVersion, subscribeKeys } from "./keys";
import { matchPage, useLocation } from "./router";
import { useModal } from "../ui/modal";
import css from "./Palette.module.css";

const NUM_RUNS = 8;
const PAUSE_MS = 120; // after the last keystroke, before the server is asked

/** Everything by name: actions of the page, places, runs, experiments, themes. Ctrl+K or Cmd+K opens and closes it. */
export function Palette({ onClose }: { onClose: () => void }) {
  const modal = useModal(onClose);
  const id = useId();
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState(0);
  const { groups, isSearching } = useFound(query);
  const flat = groups.flatMap(({ found }) => found);
  const active = Math.min(chosen, flat.length - 1);

  useEffect(() => {
    document.getElementById(`${id}-${active}`)?.scrollIntoView({ block: "nearest" });
  }, [id, active]);

  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    window.setTimeout(() => command.run()); // once the focus is back where it was
  };
  const press = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const num = flat.length;
    if (step !== undefined && num > 0) setChosen((active + step + num) % num);
    else if (event.key === "PageDown") setChosen(Math.min(num - 1, active + 8));
    else if (event.key === "PageUp") setChosen(Math.max(0, active - 8));
    else if (event.key === "Enter" && !event.isComposing) run(flat[active]);
    else return;
    event.preventDefault();
  };
  return (
    <dialog {...modal} className={css.palette} aria-label="Commands">
      <div className={css.box}>
        <input
          className={css.query}
          role="combobox"
          aria-label="Search for a command, a run or an experiment"
          aria-expanded={flat.length > 0}
          aria-controls={`${id}-list`}
          aria-activedescendant={flat.length > 0 ? `${id}-${active}` : undefined}
          aria-autocomplete="list"
          placeholder="What do you want to do or to see?"
          autoComplete="off"
          spellcheck={false}
          value={query}
          onChange={({ currentTarget }) => {
            setQuery(currentTarget.value);
            setChosen(0);
          }}
          onKeyDown={press}
        />
        <div id={`${id}-list`} role="listbox" aria-label="Commands" className={css.list}>
          {groups.map(({ group, found }, i) => (
            <div key={group} role="group" aria-labelledby={`${id}-group-${i}`}>
              <div id={`${id}-group-${i}`} role="presentation" className={css.group}>
                {group}
              </div>
              {found.map((command) => {
                const index = flat.indexOf(command);
                return (
                  <Row
                    key={command.id}
                    command={command}
                    id={`${id}-${index}`}
                    isActive={index === active}
                    onPoint={() => setChosen(index)}
                    onRun={() => run(command)}
                  />
                );
              })}
            </div>
          ))}
        </div>
        <p className={css.foot} role="status">
          {flat.length === 0 && !isSearching ? "Nothing is called like this." : ""}
          {isSearching && "Searching the runs"}
        </p>
        <p className={css.hint} aria-hidden="true">
          <kbd>↑</kbd>
          <kbd>↓</kbd> choose <kbd>Enter</kbd> do it <kbd>Esc</kbd> close
        </p>
      </div>
    </dialog>
  );
}

/** All that matches: what this page knows at once, and runs by the server's own search a moment later. */
function useFound(query: string): { groups: { group: string; found: Found[] }[]; isSearching: boolean } {
  const { path } = useLocation();
  const page = matchPage(path);
  const runId = page.name === "run" ? page.id : null;
  const { data: catalogue } = useResource("catalogue", api.catalogue);
  const { data: run } = useResource(runId && `run:${runId}`, (signal) => api.run(runId ?? "", signal));
  const { data: experiments } = useResource("experiments", api.experiments);
  const asked = usePaused(query.trim());
  const newest = useResource(`runs palette ${asked}`, (signal) =>
    api.runs({ q: asked || null, limit: NUM_RUNS, sort: "-created_at" }, signal),
  );
  const { data: runs } = useKept(newest.data);
  const actions = useSyncExternalStore(subscribeKeys, keysVersion);
  const groups = useMemo(() => {
    const local = localCommands(matchPage(path), catalogue, run);
    const listed = experimentsAsCommands(experiments?.experiments ?? []);
    const isAll = query.trim() === "";
    const found = runsAsCommands((runs?.runs ?? []).slice(0, isAll ? 5 : NUM_RUNS));
    return find([...local, ...found, ...(isAll ? listed.slice(0, 3) : listed)], query); // of what is typed now: Enter acts on it
    // `actions` stands for the keys that act, which the list of commands reads.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [query, path, catalogue, run, experiments, runs, actions]);
  return { groups, isSearching: asked !== query.trim() || newest.isLoading };
}

/** The value after a pause in the typing. */
function usePaused(value: string): string {
  const [paused, setPaused] = useState(value);
  useEffect(() => {
    const timer = window.setTimeout(() => setPaused(value), PAUSE_MS);
    return () => window.clearTimeout(timer);
  }, [value]);
  return paused;
}

interface RowProps {
  command: Found;
  id: string;
  isActive: boolean;
  onPoint: () => void;
  onRun: () => void;
}

function Row({ command, id, isActive, onPoint, onRun }: RowProps) {
  const { label, detail, keys, at } = command;
  const marked = new Set(at);
  return (
    // The focus stays in the field, whose keys choose and run; the pointer does the same here.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
    <div id={id} role="option" aria-selected={isActive} className={css.row} onPointerMove={onPoint} onClick={onRun}>
      <span className={css.label}>
        {marked.size === 0
          ? label
          : Array.from(label, (letter, place) => (marked.has(place) ? <b key={place}>{letter}</b> : letter))}
      </span>
      {detail && <span className={css.detail}>{detail}</span>}
      {keys && (
        <span className={css.keys} aria-hidden="true">
          {keys.map((key, i) => (
            <kbd key={i}>{key}</kbd>
          ))}
        </span>
      )}
    </div>
  );
}
