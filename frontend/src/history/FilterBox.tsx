import { useEffect, useId, useRef, useState } from "react";
import { useResource } from "../api/resource";
import { CloseButton } from "../ui/IconButton";
import { accept, offersAt, type Offer } from "./completion";
import { historyApi } from "./historyApi";
import css from "./FilterBox.module.css";

const PAUSE_MS = 350; // after the last keystroke
const NOTHING: never[] = [];

export interface Fault {
  start: number;
  end: number;
  message: string;
}

interface Props {
  filter: string;
  fault: Fault | null; // of the filter that was sent
  onChange: (filter: string) => void;
}

/** One line in which everything can be asked for: completed as it is typed, and underlined where it is wrong. */
export function FilterBox({ filter, fault, onChange }: Props) {
  const [typed, setTyped] = useState(filter);
  const [sent, setSent] = useState(filter);
  const [caret, setCaret] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const [isUsed, setUsed] = useState(false); // the help is fetched with the first visit
  const input = useRef<HTMLInputElement>(null);
  const under = useRef<HTMLDivElement>(null);
  const listId = useId();
  const faultId = useId();
  const { data: help } = useResource(isUsed ? "filter-help" : null, historyApi.filterHelp);
  if (sent !== filter) {
    setSent(filter); // "back", a facet or a link: the address leads
    setTyped(filter);
  }
  const { spot, offers } = offersAt(typed, caret, help?.keys ?? NOTHING);
  const isWhole = offers.length === 1 && offers[0]?.label === spot.typed; // nothing is left to complete
  const isListed = isOpen && offers.length > 0 && !isWhole;

  const send = (text: string) => {
    if (text.trim() === filter.trim()) return;
    setSent(text.trim());
    onChange(text.trim());
  };
  const newest = useRef(send); // what is done during the pause (a sort, a selection) must not be undone by its end
  useEffect(() => {
    newest.current = send;
  });
  useEffect(() => {
    const timer = window.setTimeout(() => newest.current(typed), PAUSE_MS);
    return () => window.clearTimeout(timer);
  }, [typed]);

  const take = (offer: Offer) => {
    const next = accept(typed, spot, offer);
    setTyped(next.text);
    setCaret(next.caret);
    setActive(-1);
    setOpen(true);
    // The caret is set once the new text stands in the field.
    window.requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(next.caret, next.caret);
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      if (isListed) setActive(around(active + step, offers.length));
      else setOpen(true);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const offer = isListed ? offers[active] : undefined;
      if (offer) take(offer);
      else {
        setOpen(false);
        send(typed);
      }
    } else if (event.key === "Tab" && !event.shiftKey && isListed && (active >= 0 || spot.typed !== "")) {
      const offer = offers[Math.max(0, active)];
      if (offer && offer.text !== spot.typed) {
        event.preventDefault();
        take(offer);
      } else setOpen(false);
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (isListed) setOpen(false);
      else input.current?.blur();
      setActive(-1);
    }
  };
  // What is still being completed is not yet wrong.
  const isFaulty = fault !== null && typed.trim() === filter.trim() && !isListed;
  const indent = typed.length - typed.trimStart().length;
  return (
    <search className={css.box}>
      <div className={css.field} data-faulty={isFaulty || undefined}>
        <div ref={under} className={css.under} aria-hidden="true">
          {isFaulty && <Underlined text={typed} start={fault.start + indent} end={fault.end + indent} />}
        </div>
        <input
          id="history-search"
          ref={input}
          type="text"
          role="combobox"
          aria-label="Filter the runs"
          aria-expanded={isListed}
          aria-controls={listId}
          aria-autocomplete="list"
          aria-activedescendant={isListed && active >= 0 ? `${listId}-${active}` : undefined}
          aria-invalid={isFaulty || undefined}
          aria-describedby={isFaulty ? faultId : undefined}
          placeholder="Text, or policy:foresync utilisation>=0.9 -tag:old"
          value={typed}
          autoComplete="off"
          autoCapitalize="off"
          spellcheck={false}
          onChange={({ currentTarget }) => {
            setTyped(currentTarget.value);
            setCaret(currentTarget.selectionStart ?? currentTarget.value.length);
            setOpen(true);
            setActive(-1);
          }}
          onSelect={({ currentTarget }) => setCaret(currentTarget.selectionStart ?? 0)}
          onScroll={({ currentTarget }) => {
            if (under.current) under.current.scrollLeft = currentTarget.scrollLeft;
          }}
          onFocus={() => setUsed(true)}
          onClick={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onKeyDown={onKeyDown}
        />
        {typed !== "" && (
          <span className={css.clear}>
            <CloseButton
              aria-label="Clear the filter"
              title="Show all runs"
              onClick={() => {
                setTyped("");
                send("");
                input.current?.focus();
              }}
            />
          </span>
        )}
      </div>
      <div id={listId} role="listbox" aria-label="Completions" className={css.offers} hidden={!isListed}>
        {isListed &&
          offers.map((offer, index) => (
            // The keyboard acts in the field, which names the active option.
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events
            <div
              key={offer.label}
              id={`${listId}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === active}
              onMouseDown={(event) => event.preventDefault()} // the focus stays in the field
              onClick={() => take(offer)}
            >
              <span>{offer.label}</span> <span className="quiet">{offer.help}</span>
            </div>
          ))}
      </div>
      {isFaulty && (
        <p id={faultId} className={css.fault} role="alert">
          {fault.message}
        </p>
      )}
    </search>
  );
}

/** Go round through -1 (nothing) and the places 0 to num - 1. */
function around(index: number, num: number): number {
  if (index >= num) return -1;
  return index < -1 ? num - 1 : index;
}

function Underlined({ text, start, end }: { text: string; start: number; end: number }) {
  const last = Math.max(end, start + 1);
  return (
    <>
      {text.slice(0, start)}
      <u>{text.slice(start, last) || "\u00a0"}</u>
      {text.slice(last)}
    </>
  );
}
