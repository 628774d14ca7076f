import { useEffect, useRef, useState, type RefObject } from "react";
import { cssToken, useTheme } from "../app/theme";
import { Skeleton } from "../ui/Skeleton";
import type { Colours } from "./figures";
import { loadPlotly, pause, type Plotly } from "./plotly";
import { NUM_COLOURS } from "./styles";
import css from "./CurvePlot.module.css";

const CONFIG = { displaylogo: false, responsive: true, displayModeBar: false, doubleClick: "reset" };

function readColours(): Colours {
  return {
    ink: cssToken("--ink"),
    quiet: cssToken("--ink-quiet"),
    line: cssToken("--line"),
    surface: cssToken("--surface"),
    runs: Array.from({ length: NUM_COLOURS }, (_, i) => cssToken(`--run-${i + 1}`)),
  };
}

const UNSEEN_MS = 1500; // after which what is not seen is drawn, too: a page may be printed

/** Whether an element's turn has come: at once where it is seen, or nearly; later below. */
function useNear(): [RefObject<HTMLElement | null>, boolean] {
  const element = useRef<HTMLElement>(null);
  const [isNear, setNear] = useState(!("IntersectionObserver" in window));
  useEffect(() => {
    if (isNear || !element.current) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && setNear(true), {
      rootMargin: "300px",
    });
    observer.observe(element.current);
    const timer = window.setTimeout(() => setNear(true), UNSEEN_MS);
    return () => {
      observer.disconnect();
      window.clearTimeout(timer);
    };
  }, [isNear]);
  return [element, isNear];
}

interface Props {
  title: string;
  note: string;
  label: string; // for those who do not see it
  isWaiting?: boolean;
  data: unknown; // what the figure is made from: it is drawn anew when this changes
  traces: (colours: Colours) => object[];
  layout: (colours: Colours) => object;
}

/** A figure drawn by plotly, in the colours of the theme. */
export function Figure({ title, note, label, isWaiting = false, data, traces, layout }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [plotly, setPlotly] = useState<Plotly>();
  const [isMissing, setMissing] = useState(false);
  const theme = useTheme();
  const [figure, isNear] = useNear();

  useEffect(() => {
    if (!isNear) return;
    let isShown = true;
    loadPlotly().then(
      (loaded) => isShown && setPlotly(loaded),
      () => isShown && setMissing(true),
    );
    return () => {
      isShown = false;
    };
  }, [isNear]);

  useEffect(() => {
    const element = place.current;
    if (!element || !plotly || isWaiting) return; // an empty figure takes as long as a full one
    let isCurrent = true;
    element.ariaBusy = "true";
    // Each figure in a pause of its own: the page answers between two of them.
    void pause()
      .then(() => {
        const colours = readColours(); // of the theme that is shown
        return isCurrent && plotly.react(element, traces(colours), layout(colours), CONFIG);
      })
      .then(() => {
        if (isCurrent) element.ariaBusy = null;
      });
    return () => {
      isCurrent = false;
    };
    // `data` stands for what both functions draw.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [plotly, data, theme, isWaiting]);

  useEffect(() => {
    const element = place.current;
    return () => {
      if (element) plotly?.purge(element);
    };
  }, [plotly]);

  const isShown = plotly && !isWaiting;
  return (
    <figure className={css.figure} ref={figure}>
      <figcaption>
        {title} <span className="quiet">{note}</span>
      </figcaption>
      {isMissing && <p className={css.note}>The charts could not be loaded; the tables hold the same figures.</p>}
      {!isShown && !isMissing && (
        <div className={css.waiting}>
          <Skeleton width={90} />
        </div>
      )}
      <div ref={place} className={css.plot} role="img" aria-label={label} hidden={!isShown} />
    </figure>
  );
}
