/**
 * Short notices that go by themselves, in one polite live region; each may offer one action, as "Undo".
 *
 * `toast({text, action, seconds})` may be called from anywhere. A notice with an action stays longer, and none goes
 * while the pointer or the focus is on it. Key `z` runs the action of the newest notice that has one.
 */

import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useKeys } from "../app/keys";
import { Cross } from "./IconButton";
import css from "./Toasts.module.css";

export interface ToastAction {
  label: string;
  run: () => unknown;
}

export interface ToastOptions {
  text: string;
  action?: ToastAction;
  seconds?: number;
}

interface Toast extends ToastOptions {
  id: number;
  seconds: number;
}

const PLAIN_S = 6;
const ACTION_S = 12;
const MOST = 4; // older notices give way

let toasts: Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function become(next: Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

function dismiss(id: number): void {
  become(toasts.filter((one) => one.id !== id));
}

/** Show a notice; the answer takes it away before its time. */
export function toast({ text, action, seconds }: ToastOptions): () => void {
  lastId += 1;
  const id = lastId;
  const entry: Toast = { id, text, seconds: seconds ?? (action ? ACTION_S : PLAIN_S) };
  if (action) entry.action = action;
  become([...toasts, entry].slice(-MOST));
  return () => dismiss(id);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Where the notices appear; once in the shell. The region is always there, so that screen readers follow it. */
export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  const [isPointed, setPointed] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const newest = shown.findLast((one) => one.action);
  return (
    // Pointer and focus only hold the clock; nothing is done by them.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      className={css.region}
      role="status"
      aria-live="polite"
      aria-atomic="false"
      onPointerEnter={() => setPointed(true)}
      onPointerLeave={() => setPointed(false)}
      onFocus={() => setFocused(true)}
      onBlur={() => setFocused(false)}
    >
      {newest && <ActionKey toast={newest} />}
      {shown.map((one) => (
        <Row key={one.id} toast={one} isKeyed={one === newest} isHeld={isPointed || isFocused} />
      ))}
    </div>
  );
}

function act(entry: Toast): void {
  dismiss(entry.id);
  entry.action?.run();
}

function ActionKey({ toast: entry }: { toast: Toast }) {
  useKeys("Notice", { z: { label: entry.action?.label ?? "", run: () => act(entry) } });
  return null;
}

function Row({ toast: entry, isKeyed, isHeld }: { toast: Toast; isKeyed: boolean; isHeld: boolean }) {
  const { id, text, action, seconds } = entry;
  const leftMs = useRef(seconds * 1000);
  useEffect(() => {
    if (isHeld || !Number.isFinite(seconds)) return;
    const sinceMs = performance.now();
    const timer = window.setTimeout(() => dismiss(id), leftMs.current);
    return () => {
      window.clearTimeout(timer);
      leftMs.current -= performance.now() - sinceMs;
    };
  }, [id, isHeld, seconds]);
  return (
    <div className={css.toast}>
      <span>{text}</span>
      {action && (
        <button type="button" className={css.action} onClick={() => act(entry)}>
          {action.label}
          {isKeyed && <kbd aria-hidden="true">z</kbd>}
        </button>
      )}
      <button type="button" className={css.close} aria-label="Close this notice" onClick={() => dismiss(id)}>
        <Cross />
      </button>
    </div>
  );
}
