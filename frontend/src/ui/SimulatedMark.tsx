import css from "./SimulatedMark.module.css";

/** Says of a run that its times are virtual: computed, exact and repeatable, but not measured. */
export function SimulatedMark() {
  return (
    <span
      className={css.mark}
      title="Trained by one process in virtual time: times are exact and repeatable, but not measured."
    >
      simulated
    </span>
  );
}
