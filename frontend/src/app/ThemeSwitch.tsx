import { chooseTheme, THEMES, useTheme, useThemeChoice, type ThemeChoice } from "./theme";
import css from "./Shell.module.css";

/** The themes, behind a picture of the one that is shown: a select of the browser's own, which every keyboard knows. */
export function ThemeSwitch() {
  const choice = useThemeChoice();
  const theme = useTheme();
  return (
    <span className={css.theme} title="Theme">
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" strokeWidth="1.5" />
        {theme.startsWith("contrast") && <circle cx="8" cy="8" r="2" fill="currentColor" />}
        {choice === "system" ? (
          <path d="M8 2.5a5.5 5.5 0 0 1 0 11z" fill="currentColor" />
        ) : (
          theme === "dark" && <circle cx="8" cy="8" r="5.5" fill="currentColor" />
        )}
      </svg>
      <select aria-label="Theme" value={choice} onChange={({ currentTarget }) => chooseTheme(currentTarget.value as ThemeChoice)}>
        {THEMES.map((one) => (
          <option key={one.choice} value={one.choice}>
            {one.label}
          </option>
        ))}
      </select>
    </span>
  );
}
