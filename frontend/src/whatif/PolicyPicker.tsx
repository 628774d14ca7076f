import { useState } from "react";
import { limitsOf } from "../form/check";
import { defaultOf, type Field, type UnionField, type Variant } from "../form/schema";
import { isSame } from "../form/values";
import { problemOf, readValues, settingsOf, withValues, writeValues, type Choice } from "./choices";
import { SmallButton } from "../ui/SmallButton";
import css from "./whatif.module.css";

interface Props {
  policies: UnionField;
  choices: Choice[];
  onChange: (choices: Choice[]) => void;
}

/** All policies of the schema: which are asked about, and with which values of their settings. */
export function PolicyPicker({ policies, choices, onChange }: Props) {
  const toggle = (name: string, isWanted: boolean) => {
    const wanted = new Map(choices.map((choice) => [choice.name, choice]));
    if (isWanted) wanted.set(name, { name, values: {} });
    else wanted.delete(name);
    onChange(policies.variants.flatMap(({ label }) => wanted.get(label) ?? [])); // in the order of the list
  };
  return (
    <fieldset className={css.picker}>
      <legend className="unseen">Policies to predict</legend>
      {policies.variants.map((variant) => {
        const choice = choices.find(({ name }) => name === variant.label);
        return (
          <div key={variant.label} className={css.policy} data-chosen={choice ? true : undefined}>
            <label title={variant.help}>
              <input type="checkbox" checked={choice !== undefined} onChange={({ currentTarget }) => toggle(variant.label, currentTarget.checked)} />
              {variant.label.replaceAll("_", " ")}
            </label>
            {choice && <Settings variant={variant} choice={choice} onChange={(field, values) => onChange(withValues(choices, choice.name, field, values))} />}
          </div>
        );
      })}
    </fieldset>
  );
}

interface SettingsProps {
  variant: Variant;
  choice: Choice;
  onChange: (field: Field, values: unknown[]) => void;
}

function Settings({ variant, choice, onChange }: SettingsProps) {
  const fields = settingsOf(variant);
  const [isOpen, setOpen] = useState(() => fields.some((field) => field.isAdvanced && field.name in choice.values));
  const advanced = fields.filter(({ isAdvanced }) => isAdvanced);
  const shown = isOpen ? fields : fields.filter(({ isAdvanced }) => !isAdvanced);
  return (
    <div className={css.settings}>
      {shown.map((field) => (
        <Setting key={field.name} policy={variant.label} field={field} values={choice.values[field.name] ?? [defaultOf(field)]} onChange={(values) => onChange(field, values)} />
      ))}
      {advanced.length > 0 && !isOpen && (
        <SmallButton onClick={() => setOpen(true)} title={advanced.map(({ label }) => label).join(", ")}>
          Advanced
        </SmallButton>
      )}
    </div>
  );
}

interface SettingProps {
  policy: string;
  field: Field;
  values: unknown[];
  onChange: (values: unknown[]) => void;
}

/** One setting, with one value or several. */
function Setting({ policy, field, values, onChange }: SettingProps) {
  const id = `what-if-${policy}-${field.name}`;
  if (field.kind === "choice") return <ChoiceSetting field={field} values={values} onChange={onChange} />;
  const problem = problemOf(values, field);
  const limits = limitsOf(field);
  return (
    <div className={css.setting}>
      <label htmlFor={id}>{field.label.toLowerCase()}</label>
      <ValuesInput id={id} field={field} values={values} onChange={onChange} isWrong={problem !== ""} />
      {field.unit && field.unit !== "iterations" && <span className="unit">{field.unit}</span>}
      <span id={`${id}-help`} className="unseen">
        {field.help} {limits && `${limits}.`} Several values stand apart by commas.
      </span>
      <span id={`${id}-wrong`} className={css.wrong} aria-live="polite">
        {problem}
      </span>
    </div>
  );
}

function ValuesInput({ id, field, values, onChange, isWrong }: Omit<SettingProps, "policy"> & { id: string; isWrong: boolean }) {
  const [typed, setTyped] = useState(() => writeValues(values));
  const isStale = !isSame(readValues(typed, field), values); // changed from outside
  if (isStale) setTyped(writeValues(values));
  return (
    <input
      id={id}
      className={css.values}
      title={field.help}
      autoComplete="off"
      spellcheck={false}
      inputMode={field.kind === "number" ? "text" : undefined}
      value={isStale ? writeValues(values) : typed}
      aria-invalid={isWrong || undefined}
      aria-describedby={`${id}-help ${id}-wrong`}
      onChange={({ currentTarget }) => {
        setTyped(currentTarget.value);
        onChange(readValues(currentTarget.value, field));
      }}
    />
  );
}

function ChoiceSetting({ field, values, onChange }: { field: Field & { kind: "choice" }; values: unknown[]; onChange: (values: unknown[]) => void }) {
  const toggle = (option: unknown, isWanted: boolean) => onChange(field.options.filter((one) => (one === option ? isWanted : values.includes(one))));
  return (
    <fieldset className={css.setting} title={field.help}>
      <legend className="unseen">{field.label}</legend>
      <span aria-hidden="true">{field.label.toLowerCase()}</span>
      {field.options.map((option) => (
        <label key={String(option)} className={css.option}>
          <input type="checkbox" checked={values.includes(option)} onChange={({ currentTarget }) => toggle(option, currentTarget.checked)} />
          {String(option).replaceAll("_", " ")}
        </label>
      ))}
      <span className={css.wrong} aria-live="polite">
        {values.length === 0 && "needs a value"}
      </span>
    </fieldset>
  );
}
