interface Props {
  values: readonly (number | null)[];
  max?: number; // of the scale; absent: of the values
}

const WIDTH = 100;
const HEIGHT = 24;

/** A small curve without axes: the shape of a figure's past. Nulls are gaps. */
export function Sparkline({ values, max }: Props) {
  const known = values.filter((value) => value !== null);
  const top = max ?? Math.max(...known);
  const bottom = max === undefined ? Math.min(...known, top) : 0;
  const height = top > bottom ? top - bottom : 1;
  let path = "";
  let isPenUp = true;
  values.forEach((value, i) => {
    if (value === null) {
      isPenUp = true;
      return;
    }
    const x = (i / Math.max(1, values.length - 1)) * WIDTH;
    const y = HEIGHT - 1.5 - ((value - bottom) / height) * (HEIGHT - 3);
    path += `${isPenUp ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
    isPenUp = false;
  });
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path} fill="none" stroke="currentColor" strokeWidth="1.25" strokeLinejoin="round" vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
