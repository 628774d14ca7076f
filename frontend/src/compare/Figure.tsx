import { useEffect, useRef, useState } from "react";
import { cssToken, useTheme } from "../app/theme";
import { Button } from "../ui/Button";
import { Skeleton } from "../ui/Skeleton";
import type { Colours } from "./figures";
import type { Picture } from "./picture";
import { Plot } from "./plot";
import { NUM_COLOURS } from "./styles";
import css from "./Figure.module.css";

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
  title: string;
  note: string;
  label: string; // for those who do not see it
  isWaiting?: boolean;
  data: unknown; // what the picture is made from: it is drawn anew when this changes
  makePicture: (colours: Colours) => Picture;
}

/** A figure in the colours of the theme. Drag zooms, a double click or the button shows everything again. */
export function Figure(props: Props) {
  return <Themed key={useTheme()} {...props} />;
}

function Themed({ title, note, label, isWaiting = false, data, makePicture }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>(undefined);
  const [isZoomed, setZoomed] = useState(false);
  const [looks] = useState(() => ({ colours: readColours(), face: cssToken("--face") }));

  useEffect(() => {
    if (!place.current || isWaiting) return;
    const picture = makePicture(looks.colours);
    if (plot.current) plot.current.show(picture);
    else plot.current = new Plot(place.current, picture, looks, setZoomed);
    // `data` stands for what the picture is made from.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [data, isWaiting, looks]);

  useEffect(() => () => plot.current?.destroy(), []);

  return (
    <figure className={css.figure}>
      <figcaption>
        <span>
          {title} <span className="quiet">{note}</span>
        </span>
        {isZoomed && <Button onClick={() => plot.current?.reset()}>Show everything</Button>}
      </figcaption>
      {isWaiting && (
        <div className={css.waiting}>
          <Skeleton width={90} />
        </div>
      )}
      <div ref={place} className={css.plot} role="img" aria-label={label} hidden={isWaiting} />
    </figure>
  );
}
