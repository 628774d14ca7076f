import type { Preset } from "../api/types";
import css from "./PresetList.module.css";

interface Props {
  presets: readonly Preset[];
  origin: string;
  isChanged: boolean;
  onChoose: (preset: Preset) => void;
}

/** Where to start from: one of the server's presets, or what was opened from elsewhere. */
export function PresetList({ presets, origin, isChanged, onChoose }: Props) {
  const [kind = "", id = ""] = origin.split(":");
  return (
    <fieldset className={css.list}>
      <legend>Start from</legend>
      {kind !== "preset" && (
        <label className={css.preset}>
          <input type="radio" name="preset" checked readOnly />
          <span className={css.title}>{kind === "run" ? "A run of yours" : "An experiment of yours"}</span>
          <span className={css.description}>
            The settings of {kind} {id}
            {isChanged && ", changed"}.
          </span>
        </label>
      )}
      {presets.map((preset) => {
        const isChosen = origin === `preset:${preset.name}`;
        return (
          <label key={preset.name} className={css.preset} data-chosen={isChosen || undefined}>
            <input type="radio" name="preset" checked={isChosen} onChange={() => onChoose(preset)} />
            <span className={css.title}>
              {preset.title}
              {isChosen && isChanged && (
                <button type="button" className={css.reset} onClick={() => onChoose(preset)}>
                  undo my changes
                </button>
              )}
            </span>
            <span className={css.description}>{preset.description}</span>
          </label>
        );
      })}
    </fieldset>
  );
}
