import { useEffect, useId, useRef, useState } from "react";
import { Button, type ButtonKind } from "../ui/Button";
import { offersOfRun, offersOfRuns } from "./links";
import css from "./ExportMenu.module.css";

const MENU_WIDTH = 440; // at the most, with a margin

interface Props {
  runIds: readonly string[]; // one: everything of that run; several: a table and a comparison
  kind?: ButtonKind;
  isDisabled?: boolean;
}

/**
 * Files of a run, or of several: real links, which the browser saves while the server still writes them.
 *
 * It stands in a run's header, in the bar of a selection of runs, and on the comparison.
 */
export function ExportMenu({ runIds, kind = "plain", isDisabled = false }: Props) {
  const [isOpen, setOpen] = useState(false);
  const [side, setSide] = useState<"left" | "right">("right"); // the edge of the button that the menu keeps to
  const id = useId();
  const whole = useRef<HTMLSpanElement>(null);
  const opener = () => whole.current?.querySelector("button");
  useEffect(() => {
    if (!isOpen) return;
    const leave = (event: Event) => {
      if (event.target instanceof Node && !whole.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener("pointerdown", leave);
    document.addEventListener("focusin", leave);
    whole.current?.querySelector("a")?.focus();
    return () => {
      document.removeEventListener("pointerdown", leave);
      document.removeEventListener("focusin", leave);
    };
  }, [isOpen]);
  const toggle = () => {
    const right = whole.current?.getBoundingClientRect().right ?? 0;
    setSide(right < MENU_WIDTH ? "left" : "right"); // never beyond the page's left edge
    setOpen(!isOpen);
  };
  const press = (event: KeyboardEvent) => {
    if (!isOpen) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      setOpen(false);
      opener()?.focus();
      return;
    }
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const links = [...(whole.current?.querySelectorAll("a") ?? [])];
    if (by === undefined || links.length === 0) return;
    event.preventDefault();
    const here = links.findIndex((link) => link === document.activeElement);
    links[(here + by + links.length) % links.length]?.focus();
  };
  const [only] = runIds;
  const offers = only !== undefined && runIds.length === 1 ? offersOfRun(only) : offersOfRuns(runIds);
  return (
    // The keys belong to the links inside, whichever has the focus.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <span ref={whole} className={css.whole} onKeyDown={press}>
      <Button kind={kind} disabled={isDisabled || runIds.length === 0} aria-expanded={isOpen} aria-controls={id} onClick={toggle}>
        Export
        <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
          <path d="M1.5 3.5L5 7l3.5-3.5" fill="none" stroke="currentColor" strokeWidth="1.5" />
        </svg>
      </Button>
      <ul id={id} className={css.menu} data-side={side} hidden={!isOpen} aria-label="Export as">
        {isOpen &&
          offers.map(({ name, help, choices }) => (
            <li key={name}>
              <span className={css.name}>{name}</span>
              <span className={css.help}>{help}</span>
              <span className={css.choices}>
                {choices.map(({ label, href }) => (
                  <a key={href} href={href} download aria-label={`${name} as ${label}`} onClick={() => setOpen(false)}>
                    {label}
                  </a>
                ))}
              </span>
            </li>
          ))}
      </ul>
    </span>
  );
}
