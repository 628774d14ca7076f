import { useEffect, useState } from "react";
import { api } from "../api/client";
import { useResource } from "../api/resource";
import type { Catalogue } from "../api/types";
import { readSchema, type JsonSchema } from "../form/schema";
import { ALL_STATES, isActive } from "../ui/StateMark";
import type { HistoryView } from "./view";
import css from "./Filters.module.css";

const PAUSE_MS = 200; // after the last keystroke

interface Props {
  view: HistoryView;
  tags: readonly string[];
  onChange: (changes: Partial<HistoryView>) => void;
}

const ACTIVE = ALL_STATES.filter(isActive).join(",");

/** Narrow the list down: text, state, policy, data set, tag. All of it stands in the address. */
export function Filters({ view, tags, onChange }: Props) {
  const { data: catalogue } = useResource("catalogue", api.catalogue);
  return (
    <search className={css.filters}>
      <SearchField text={view.q} onChange={(q) => onChange({ q })} />
      <Choice
        label="State"
        value={view.states.join(",")}
        onChange={(text) => onChange({ states: text.split(",").filter(Boolean) })}
        options={[{ value: ACTIVE, label: "not ended" }, ...ALL_STATES.map(plain)]}
      />
      <Choice
        label="Policy"
        value={view.policy}
        onChange={(policy) => onChange({ policy })}
        options={policiesOf(catalogue).map(plain)}
      />
      <Choice
        label="Data"
        value={view.dataset}
        onChange={(dataset) => onChange({ dataset })}
        options={(catalogue?.datasets ?? []).map(({ name }) => plain(name))}
      />
      <Choice label="Tag" value={view.tag} onChange={(tag) => onChange({ tag })} options={tags.map(plain)} />
    </search>
  );
}

const plain = (value: string) => ({ value, label: value });

export function policiesOf(catalogue: Catalogue | undefined): string[] {
  if (!catalogue) return [];
  const policy = readSchema(catalogue.schema as JsonSchema).fields.find(({ name }) => name === "policy");
  return policy?.kind === "union" ? policy.variants.map(({ label }) => label) : [];
}

/** What is typed stands in the field at once, and in the address after a pause. */
function SearchField({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  const [sent, setSent] = useState(text);
  if (sent !== text) {
    setSent(text); // "back", or a link: the address leads
    setTyped(text);
  }
  useEffect(() => {
    if (typed === text) return;
    const timer = window.setTimeout(() => {
      setSent(typed);
      onChange(typed);
    }, PAUSE_MS);
    return () => window.clearTimeout(timer);
    // Only what is typed starts the pause anew.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [typed]);
  return (
    <label className={css.search}>
      <span className="unseen">Search in name, experiment and tags</span>
      <input
        id="history-search"
        type="search"
        placeholder="Name, experiment or tag"
        value={typed}
        autoComplete="off"
        spellCheck={false}
        onChange={({ target }) => setTyped(target.value)}
      />
    </label>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: { value: string; label: string }[];
  onChange: (value: string) => void;
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  const isListed = value === "" || options.some((option) => option.value === value);
  return (
    <label className={css.choice} data-set={value !== "" || undefined}>
      {label}
      <select value={value} onChange={({ target }) => onChange(target.value)}>
        <option value="">any</option>
        {!isListed && <option value={value}>{value}</option>}
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </label>
  );
}
