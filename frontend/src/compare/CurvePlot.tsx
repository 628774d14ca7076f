import { layoutOf, tracesOf, type Axis, type Line, type Quantity } from "./figures";
import { cssToken } from "../app/theme";
import { Figure } from "./Figure";

interface Props {
  lines: readonly Line[];
  quantity: Quantity;
  axis: Axis;
  target: number | null;
  hasBands: boolean;
}

const TITLE: Record<Quantity, string> = { accuracy: "Accuracy", loss: "Loss" };

/** One figure of all compared runs, or settings. Drag zooms, a double click goes back. */
export function CurvePlot({ lines, quantity, axis, target, hasBands }: Props) {
  const title = `${TITLE[quantity]} over ${axis}`;
  return (
    <Figure
      title={TITLE[quantity]}
      note={`on the held-back set, over ${axis}${hasBands ? "; mean and 95% band" : ""}`}
      label={`${title}: ${lines.map(({ label }) => label).join(", ")}. The tables hold the figures.`}
      isWaiting={lines.length > 0 && lines.every(({ evaluations, bands }) => !evaluations && !bands)}
      data={lines}
      traces={(colours) => tracesOf(lines, quantity, axis, colours)}
      layout={(colours) => layoutOf(lines, quantity, axis, target, colours, cssToken("--face"))}
    />
  );
}
