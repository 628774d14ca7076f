import { lazy, Suspense, useEffect, useRef, useState, type ReactNode } from "react";
import { useConnection } from "./connection";
import { KeyHelp } from "./KeyHelp";
import { useKeys } from "./keys";
import { isMac } from "./platform";
import { Link } from "./Link";
import { navigate, useLocation } from "./router";
import { QueueNote } from "./QueueNote";
import { ThemeSwitch } from "./ThemeSwitch";
import { Toasts } from "../ui/Toasts";
import { IconButton } from "../ui/IconButton";
import css from "./Shell.module.css";

const loadPalette = () => import("./Palette").then((m) => ({ default: m.Palette }));
const Palette = lazy(loadPalette);
const loadQueue = () => import("./commands").then(({ goToQueue }) => goToQueue());

const PLACES = [
  { to: "/experiments", label: "Experiments", owns: ["/experiments"] },
  { to: "/runs", label: "History", owns: ["/runs", "/compare"] },
];

/** What every page has: skip link, header with the places and the state of the connection, main. */
export function Shell({ children }: { children: ReactNode }) {
  const { path } = useLocation();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const [isPaletteOpen, setPaletteOpen] = usePalette();
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);

  useKeys("Everywhere", {
    "?": { label: "List the keys", run: () => setHelpOpen(true) },
    "g e": { label: "Go to Experiments", run: () => navigate("/experiments") },
    "g h": { label: "Go to History", run: () => navigate("/runs") },
    "g q": { label: "Go to the queue", run: () => void loadQueue() },
  });

  useEffect(() => {
    // A new page starts at its content for keyboards and screen readers, as a page load would.
    if (isFirst.current) isFirst.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [path]);

  return (
    <>
      <a href="#main" className={css.skip}>
        Skip to the content
      </a>
      <header className={css.header}>
        <Link to="/experiments" className={css.brand} aria-label="Foresync, to Experiments">
          <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <rect width="16" height="16" rx="3" fill="#1b2530" />
            <path d="M2 4.5h6M2 8h9M2 11.5h4" stroke="#56b4e9" strokeWidth="2" />
            <path d="M12.5 2.5v11" stroke="#e69f00" strokeWidth="1.5" />
          </svg>
          <span>Foresync</span>
        </Link>
        <nav aria-label="Pages" className={css.nav}>
          {PLACES.map(({ to, label, owns }) => {
            const isHere =
              owns.some((one) => path === one || path.startsWith(`${one}/`)) || (path === "/" && to === "/experiments");
            return (
              <Link key={to} to={to} aria-current={isHere ? "page" : undefined}>
                {label}
              </Link>
            );
          })}
        </nav>
        <ConnectionNote />
        <QueueNote />
        <button
          type="button"
          className={css.search}
          onClick={() => setPaletteOpen(true)}
          aria-keyshortcuts="Control+K Meta+K"
        >
          <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
            <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="1.5" />
            <path d="M9 9l4 4" stroke="currentColor" strokeWidth="1.5" />
          </svg>
          <span className="unseen">Search for commands, runs and experiments</span>
          <kbd>{isMac ? "⌘ K" : "Ctrl K"}</kbd>
        </button>
        <IconButton onClick={() => setHelpOpen(true)} aria-label="Keys" title="Keys (?)">
          ?
        </IconButton>
        <ThemeSwitch />
      </header>
      <main id="main" ref={main} tabIndex={-1} className={css.main}>
        {children}
      </main>
      {isHelpOpen && <KeyHelp onClose={() => setHelpOpen(false)} />}
      {isPaletteOpen && (
        <Suspense fallback={null}>
          <Palette onClose={() => setPaletteOpen(false)} />
        </Suspense>
      )}
      <Toasts />
    </>
  );
}

/** Whether the palette is open. Ctrl+K works in fields, too; in another dialog it would hide what that asks. */
function usePalette(): [boolean, (isOpen: boolean) => void] {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey)
        return;
      event.preventDefault();
      setOpen((old) => !old && !document.querySelector("dialog[open]"));
    };
    document.addEventListener("keydown", press);
    // Not with the first load, but before anybody asks for it.
    const timer = window.setTimeout(() => void loadPalette(), 2000);
    return () => {
      document.removeEventListener("keydown", press);
      window.clearTimeout(timer);
    };
  }, []);
  return [isOpen, setOpen];
}

function ConnectionNote() {
  const connection = useConnection();
  return (
    <p role="status" className={css.connection} data-state={connection}>
      {connection === "lost" && (
        <>
          <b>No connection.</b> <span>Runs go on training; trying again.</span>
        </>
      )}
      {connection === "slow" && <span>The server answers slowly.</span>}
    </p>
  );
}
