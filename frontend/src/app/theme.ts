/**
 * Dark or light, with ordinary or high contrast: the reader's choice, else what the system prefers.
 *
 * `data-theme` and `data-contrast` of the root element say which tokens hold. Canvases subscribe to be drawn anew.
 */

import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark" | "contrast-light" | "contrast-dark";
export type ThemeChoice = "system" | Theme;

export const THEMES: { choice: ThemeChoice; label: string }[] = [
  { choice: "system", label: "As the system" },
  { choice: "light", label: "Light" },
  { choice: "dark", label: "Dark" },
  { choice: "contrast-light", label: "High contrast, light" },
  { choice: "contrast-dark", label: "High contrast, dark" },
];

const KEY = "foresync.theme"; // public/theme.js reads it before the first paint
const systemDark = window.matchMedia("(prefers-color-scheme: dark)");
const systemContrast = window.matchMedia("(prefers-contrast: more)");
const listeners = new Set<() => void>();

export function themeChoice(): ThemeChoice {
  const stored = localStorage.getItem(KEY);
  return THEMES.find(({ choice }) => choice === stored)?.choice ?? "system";
}

/** The theme that is shown. A system that asks for more contrast gets it with any choice. */
export function currentTheme(): Theme {
  const choice = themeChoice();
  const isDark = choice === "system" ? systemDark.matches : choice.endsWith("dark");
  const scheme = isDark ? "dark" : "light";
  return systemContrast.matches || choice.startsWith("contrast") ? `contrast-${scheme}` : scheme;
}

function apply(): void {
  const theme = currentTheme();
  const { dataset } = document.documentElement;
  dataset["theme"] = theme.endsWith("dark") ? "dark" : "light";
  if (theme.startsWith("contrast")) dataset["contrast"] = "more";
  else delete dataset["contrast"];
  for (const listener of listeners) listener();
}

export function chooseTheme(choice: ThemeChoice): void {
  if (choice === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, choice);
  apply();
}

systemDark.addEventListener("change", apply);
systemContrast.addEventListener("change", apply);
window.addEventListener("storage", (event) => {
  if (event.key === KEY) apply(); // chosen in another tab
});

export function subscribeTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The theme that is shown; draws again when it changes. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribeTheme, currentTheme);
}

export function useThemeChoice(): ThemeChoice {
  return useSyncExternalStore(subscribeTheme, themeChoice);
}

/** A token's value as a canvas needs it, e.g. cssToken("--compute"). Read anew after a change of theme. */
export function cssToken(name: `--${string}`): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
