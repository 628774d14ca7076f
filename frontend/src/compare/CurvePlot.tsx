import { useEffect, useRef, useState } from "react";
import { cssToken, useTheme } from "../app/theme";
import { Skeleton } from "../ui/Skeleton";
import { axisTitle, layoutOf, tracesOf, type Axis, type Colours, type Quantity, type RunCurves } from "./figures";
import { loadPlotly, type Plotly } from "./plotly";
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

interface Props {
  runs: readonly RunCurves[];
  quantity: Quantity;
  axis: Axis;
  target: number | null;
}

const TITLE: Record<Quantity, string> = { accuracy: "Accuracy", loss: "Loss" };

/** One figure of all compared runs. Drag zooms, a double click goes back. */
export function CurvePlot({ runs, quantity, axis, target }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [plotly, setPlotly] = useState<Plotly>();
  const [isMissing, setMissing] = useState(false);
  const theme = useTheme();
  const title = `${TITLE[quantity]} over ${axis}`;

  useEffect(() => {
    let isShown = true;
    loadPlotly().then(
      (loaded) => isShown && setPlotly(loaded),
      () => isShown && setMissing(true),
    );
    return () => {
      isShown = false;
    };
  }, []);

  useEffect(() => {
    const element = place.current;
    if (!element || !plotly) return;
    const colours = readColours(); // of the theme that is shown
    void plotly.react(
      element,
      tracesOf(runs, quantity, axis, colours),
      layoutOf(quantity, axis, axisTitle(axis, runs), target, colours, cssToken("--face")),
      CONFIG,
    );
  }, [plotly, runs, quantity, axis, target, theme]);

  useEffect(() => {
    const element = place.current;
    return () => {
      if (element) plotly?.purge(element);
    };
  }, [plotly]);

  return (
    <figure className={css.figure}>
      <figcaption>
        {TITLE[quantity]} <span className="quiet">on the held-back set, over {axis}</span>
      </figcaption>
      {isMissing && <p className={css.note}>The charts could not be loaded; the tables hold the same figures.</p>}
      {!plotly && !isMissing && (
        <div className={css.waiting}>
          <Skeleton width={90} />
        </div>
      )}
      <div
        ref={place}
        className={css.plot}
        role="img"
        aria-label={`${title}: ${runs.map(({ label }) => label).join(", ")}. The tables hold the figures.`}
        hidden={!plotly}
      />
    </figure>
  );
}
