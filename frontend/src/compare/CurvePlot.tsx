import { Figure } from "./Figure";
import { curvesPicture, type Along, type Line, type Quantity } from "./figures";

interface Props {
  lines: readonly Line[];
  quantity: Quantity;
  along: Along;
  target: number | null;
  hasBands: boolean;
}

const TITLE: Record<Quantity, string> = { accuracy: "Accuracy", loss: "Loss" };

/** One figure of all compared runs, or settings. */
export function CurvePlot({ lines, quantity, along, target, hasBands }: Props) {
  const title = `${TITLE[quantity]} over ${along}`;
  return (
    <Figure
      title={TITLE[quantity]}
      note={`on the held-back set, over ${along}${hasBands ? "; mean and 95% band" : ""}`}
      label={`${title}: ${lines.map(({ label }) => label).join(", ")}. The tables hold the figures.`}
      isWaiting={lines.length > 0 && lines.every(({ evaluations, bands }) => !evaluations && !bands)}
      data={lines}
      makePicture={(colours) => curvesPicture(lines, quantity, along, target, colours)}
    />
  );
}
