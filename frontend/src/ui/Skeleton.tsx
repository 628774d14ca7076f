import css from "./Skeleton.module.css";

/** Where a text will stand. `width` in per cent of its place. */
export function Skeleton({ width = 60 }: { width?: number }) {
  return <span className={css.bar} style={{ width: `${width}%` }} aria-hidden="true" />;
}

const WIDTHS = [72, 48, 64, 56, 80, 44]; // fixed, so that nothing flickers between two drawings

/** Rows of a list that is on its way. */
export function SkeletonRows({ num = 6, label = "Loading" }: { num?: number; label?: string }) {
  return (
    <div role="status" aria-label={label}>
      {Array.from({ length: num }, (_, row) => (
        <div key={row} className={css.row}>
          <Skeleton width={WIDTHS[row % WIDTHS.length] ?? 60} />
        </div>
      ))}
    </div>
  );
}

/** A page that is on its way. */
export function SkeletonPage() {
  return (
    <div className={css.page}>
      <SkeletonRows num={8} label="Loading the page" />
    </div>
  );
}
