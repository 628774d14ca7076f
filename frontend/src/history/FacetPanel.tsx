import { useState } from "react";
import { formatCount } from "../format";
import { chosenValues } from "./filterText";
import type { Facet } from "./types";
import css from "./FacetPanel.module.css";

const MOST = 8; // values of a facet, until more are asked for
const TITLES: Record<string, string> = {
  policy: "Policy",
  state: "State",
  dataset: "Data set",
  tag: "Tag",
  workers: "Workers",
  simulated: "Simulated",
};

interface Props {
  facets: readonly Facet[];
  filter: string;
  isOld: boolean;
  onToggle: (facet: Facet, value: string) => void;
}

/** How many runs have which policy, state, ...: a click adds the value to the filter, another takes it out. */
export function FacetPanel({ facets, filter, isOld, onToggle }: Props) {
  return (
    <div className={css.panel} aria-busy={isOld}>
      {facets.map((facet) => (
        <FacetList
          key={facet.key}
          facet={facet}
          chosen={chosenValues(filter, facet)}
          onToggle={(value) => onToggle(facet, value)}
        />
      ))}
    </div>
  );
}

interface ListProps {
  facet: Facet;
  chosen: readonly string[];
  onToggle: (value: string) => void;
}

function FacetList({ facet, chosen, onToggle }: ListProps) {
  const [isLong, setLong] = useState(false);
  const { key, values, num_others: numOthers } = facet;
  const missing = chosen.filter((value) => !values.some((one) => one.value === value));
  const all = [...missing.map((value) => ({ value, num: 0 })), ...values];
  if (all.length === 0) return null;
  const shown = isLong ? all : all.filter(({ value }, index) => index < MOST || chosen.includes(value));
  const numMore = all.length - shown.length;
  return (
    <section className={css.facet} aria-label={TITLES[key] ?? key}>
      <h2>{TITLES[key] ?? key}</h2>
      <ul>
        {shown.map(({ value, num }) => (
          <li key={value}>
            <button type="button" aria-pressed={chosen.includes(value)} title={value} onClick={() => onToggle(value)}>
              <span className={css.value}>{value}</span>
              <span className="quiet">{formatCount(num)}</span>
            </button>
          </li>
        ))}
      </ul>
      {(numMore > 0 || isLong) && (
        <button type="button" className={css.more} onClick={() => setLong(!isLong)}>
          {isLong ? "fewer" : `${numMore} more`}
        </button>
      )}
      {isLong && numOthers > 0 && <p className="quiet">{formatCount(numOthers)} rarer ones are not listed.</p>}
    </section>
  );
}
