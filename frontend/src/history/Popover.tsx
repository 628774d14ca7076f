import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import { Button } from "../ui/Button";
import css from "./Popover.module.css";

interface Props {
  label: ReactNode;
  title: string; // what it holds, for screen readers
  children: (close: () => void) => ReactNode;
}

/** A button with a small panel under it. Escape, a click beside it, or the focus going elsewhere close it. */
export function Popover({ label, title, children }: Props) {
  const [isOpen, setOpen] = useState(false);
  const holder = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => {
    if (!isOpen) return;
    const closeOutside = (event: Event) => {
      if (event.target instanceof Node && !holder.current?.contains(event.target)) setOpen(false);
    };
    const closeByKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      setOpen(false);
      holder.current?.querySelector("button")?.focus();
    };
    const element = holder.current;
    document.addEventListener("pointerdown", closeOutside);
    document.addEventListener("focusin", closeOutside);
    element?.addEventListener("keydown", closeByKey);
    return () => {
      document.removeEventListener("pointerdown", closeOutside);
      document.removeEventListener("focusin", closeOutside);
      element?.removeEventListener("keydown", closeByKey);
    };
  }, [isOpen]);
  return (
    <div ref={holder} className={css.holder}>
      <Button aria-expanded={isOpen} aria-controls={id} onClick={() => setOpen(!isOpen)}>
        {label}
      </Button>
      <div id={id} role="group" aria-label={title} className={css.panel} hidden={!isOpen}>
        {isOpen && children(() => setOpen(false))}
      </div>
    </div>
  );
}
