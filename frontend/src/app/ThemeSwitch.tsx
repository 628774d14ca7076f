import { chooseTheme, useTheme, useThemeChoice, type ThemeChoice } from "./theme";
import css from "./Shell.module.css";

const NEXT: Record<ThemeChoice, ThemeChoice> = { system: "light", light: "dark", dark: "system" };
const NAME: Record<ThemeChoice, string> = { system: "as the system", light: "light", dark: "dark" };

/** One button that goes round: as the system, light, dark. */
export function ThemeSwitch() {
  const choice = useThemeChoice();
  const theme = useTheme();
  const label = `Theme: ${NAME[choice]}. Change to ${NAME[NEXT[choice]]}.`;
  return (
    <button
      type="button"
      className={css.tool}
      onClick={() => chooseTheme(NEXT[choice])}
      aria-label={label}
      title={label}
    >
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" strokeWidth="1.5" />
        {choice === "system" ? (
          <path d="M8 2.5a5.5 5.5 0 0 1 0 11z" fill="currentColor" />
        ) : (
          theme === "dark" && <circle cx="8" cy="8" r="5.5" fill="currentColor" />
        )}
      </svg>
    </button>
  );
}
