import type { Preset } from "../api/types";
import css from "./PresetList.module.css";

interface Props {
  presets: readonly Preset[];
  origin: string;
  isChanged: boolean;
  onChoose: (preset: Preset) => void;
  onFile: () => void;
}

const TITLES: Record<string, string> = { run: "A run of yours", file: "A file of yours" };

/** Where to start from: one of the server's presets, or what was opened from elsewhere. */
export function PresetList({ presets, origin, isChanged, onChoose, onFile }: Props) {
  const [kind = "", id = ""] = origin.split(":");
  const chosen = presets.find(({ name }) => origin === `preset:${name}`);
  return (
    <div role="radiogroup" aria-labelledby="start-from">
      <div className={css.head}>
        <h2 id="start-from">Start from</h2>
        {chosen && isChanged && (
          <button type="button" className={css.reset} onClick={() => onChoose(chosen)}>
            Undo my changes
          </button>
        )}
        <button type="button" className={css.file} onClick={onFile}>
          As a file
        </button>
      </div>
      {kind !== "preset" && (
        <Choice
          name={origin}
          title={TITLES[kind] ?? "An experiment of yours"}
          description={`The settings of ${kind} ${id}${isChanged && kind !== "file" ? ", changed" : ""}.`}
          isChosen
          onChoose={() => undefined}
        />
      )}
      {presets.map((preset) => (
        <Choice key={preset.name} {...preset} isChosen={preset === chosen} onChoose={() => onChoose(preset)} />
      ))}
    </div>
  );
}

interface ChoiceProps {
  name: string;
  title: string;
  description: string;
  isChosen: boolean;
  onChoose: () => void;
}

function Choice({ name, title, description, isChosen, onChoose }: ChoiceProps) {
  const id = `preset-${name}`;
  return (
    <label className={css.preset} data-chosen={isChosen || undefined}>
      <input
        type="radio"
        name="preset"
        aria-labelledby={`${id}-title`}
        aria-describedby={`${id}-description`}
        checked={isChosen}
        onChange={onChoose}
      />
      <span id={`${id}-title`}>{title}</span>
      <span id={`${id}-description`} className={css.description}>
        {description}
      </span>
    </label>
  );
}
