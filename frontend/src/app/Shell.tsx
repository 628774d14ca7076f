import { useEffect, useRef, useState, type ReactNode } from "react";
import { useConnection } from "./connection";
import { KeyHelp } from "./KeyHelp";
import { useKeys } from "./keys";
import { Link } from "./Link";
import { navigate, useLocation } from "./router";
import { QueueNote } from "./QueueNote";
import { ThemeSwitch } from "./ThemeSwitch";
import css from "./Shell.module.css";

const PLACES = [
  { to: "/experiments", label: "Experiments", owns: ["/experiments"] },
  { to: "/runs", label: "History", owns: ["/runs", "/compare"] },
];

/** What every page has: skip link, header with the places and the state of the connection, main. */
export function Shell({ children }: { children: ReactNode }) {
  const { path } = useLocation();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);

  useKeys("Everywhere", {
    "?": { label: "List the keys", run: () => setHelpOpen(true) },
    "g e": { label: "Go to Experiments", run: () => navigate("/experiments") },
    "g h": { label: "Go to History", run: () => navigate("/runs") },
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
          <img src="/favicon.svg" alt="" width="16" height="16" />
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
        <button type="button" className={css.tool} onClick={() => setHelpOpen(true)} aria-label="Keys" title="Keys (?)">
          ?
        </button>
        <ThemeSwitch />
      </header>
      <main id="main" ref={main} tabIndex={-1} className={css.main}>
        {children}
      </main>
      {isHelpOpen && <KeyHelp onClose={() => setHelpOpen(false)} />}
    </>
  );
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
