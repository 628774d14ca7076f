/**
 * Keys of the page: declared where they act, listed by `?`.
 *
 * A key is a character ("f"), a named key ("Escape") or two in a row ("g h"). Keys are quiet while somebody types
 * in a field or presses a button by Space or Enter, while a dialog is open (but the dialog's own), and with Ctrl, Alt or Meta held.
 */

import { useEffect, useRef } from "react";

export interface KeyAction {
  label: string; // for the list
  run: (event: KeyboardEvent) => void;
  isHidden?: boolean; // a second key for the same thing
}

export type KeyMap = Record<string, KeyAction>;

interface Layer {
  title: string;
  keys: () => KeyMap;
}

const PAIR_MS = 1000;
const layers: Layer[] = [];
let first: { key: string; atMs: number } | undefined;

/** The layers that act at present, the newest last; for the list. */
export function activeKeys(): { title: string; keys: KeyMap }[] {
  return layers.map(({ title, keys }) => ({ title, keys: keys() }));
}

const NAMES: Record<string, string> = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };

/** What stands on the keys: "g e" is two of them. */
export function namesOfKeys(keys: string): string[] {
  return (keys === " " ? [keys] : keys.split(" ")).map((key) => NAMES[key] ?? key);
}

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "range"].includes(target.type);
}

/** Whether the key is how the element with the focus is used. */
function isUsing({ key, target }: KeyboardEvent): boolean {
  if (key !== " " && key !== "Enter") return false;
  return target instanceof Element && target.closest("a[href], button, input, summary, [role=tab], [role=option], [role=slider]") !== null;
}

export function handleKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target) || isUsing(event)) return;
  if (document.querySelector("dialog[open]")) return;
  const pair = first && event.timeStamp - first.atMs < PAIR_MS ? `${first.key} ${event.key}` : undefined;
  first = { key: event.key, atMs: event.timeStamp };
  for (const layer of layers.toReversed()) {
    const keys = layer.keys();
    const action = (pair !== undefined ? keys[pair] : undefined) ?? keys[event.key];
    if (!action) continue;
    first = undefined;
    event.preventDefault();
    action.run(event);
    return;
  }
}

let version = 0; // grows with every change of the layers
const watchers = new Set<() => void>();

function changed(): void {
  version += 1;
  for (const watcher of watchers) watcher();
}

/** For `useSyncExternalStore`: what acts has changed, e.g. since a page has come. */
export function subscribeKeys(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export const keysVersion = (): number => version;

let isListening = false;

/** Let keys act while the component is shown. */
export function useKeys(title: string, keys: KeyMap): void {
  const newest = useRef(keys);
  useEffect(() => {
    newest.current = keys;
  });
  useEffect(() => {
    if (!isListening) document.addEventListener("keydown", handleKey);
    isListening = true;
    const layer = { title, keys: () => newest.current };
    layers.push(layer);
    changed();
    return () => {
      layers.splice(layers.indexOf(layer), 1);
      changed();
    };
  }, [title]);
}
