import { useState } from "react";
import { parseNumber } from "./check";
import type { Option } from "./model";
import { defaultOf, settable, type ChoiceField, type Field, type GroupField, type ListField } from "./schema";
import { isData } from "./values";
import { SmallButton } from "../ui/SmallButton";
import css from "./form.module.css";

/** What every control takes. `label` is for screen readers where the visible label names another control. */
export interface ControlProps {
  id: string;
  label?: string | undefined;
  value: unknown;
  onChange: (value: unknown) => void;
  isWrong: boolean;
  describedBy?: string | undefined;
  placeholder?: string | undefined;
}

function aria({ id, label, isWrong, describedBy }: ControlProps) {
  return { id, "aria-label": label, "aria-invalid": isWrong || undefined, "aria-describedby": describedBy };
}

/** A number as text, so that what is typed stays as it is while it is not yet a number ("0.", "1e"). */
export function NumberControl({ isOptional = false, ...props }: ControlProps & { isOptional?: boolean }) {
  const { value, onChange, placeholder } = props;
  const [typed, setTyped] = useState(() => textOf(value));
  const read = (text: string) => (isOptional && text.trim() === "" ? null : parseNumber(text));
  const isStale = textOf(read(typed)) !== textOf(value); // changed from outside: a preset, another kind
  if (isStale) setTyped(textOf(value));
  return (
    <input
      {...aria(props)}
      className={css.number}
      inputMode="decimal"
      autoComplete="off"
      spellcheck={false}
      placeholder={placeholder}
      value={isStale ? textOf(value) : typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        onChange(read(event.currentTarget.value));
      }}
    />
  );
}

function textOf(value: unknown): string {
  return typeof value === "number" || typeof value === "string" ? String(value) : "";
}

/** A text; empty stands for null where the field may be absent. */
export function TextControl({ isOptional = false, ...props }: ControlProps & { isOptional?: boolean }) {
  return (
    <input
      {...aria(props)}
      className={css.text}
      autoComplete="off"
      spellcheck={false}
      placeholder={props.placeholder}
      value={textOf(props.value)}
      onChange={({ currentTarget }) => props.onChange(isOptional && currentTarget.value === "" ? null : currentTarget.value)}
    />
  );
}

/** One of the values of an enumeration. */
export function ChoiceControl({ field, ...props }: ControlProps & { field: ChoiceField }) {
  const index = field.options.indexOf(props.value);
  return (
    <select
      {...aria(props)}
      className={css.select}
      value={index}
      onChange={({ currentTarget }) => props.onChange(field.options[Number(currentTarget.value)])}
    >
      {index < 0 && <option value={-1}>choose</option>}
      {field.options.map((option, i) => (
        <option key={i} value={i}>
          {String(option).replaceAll("_", " ")}
        </option>
      ))}
    </select>
  );
}

/** One of what the server offers; what cannot be chosen says why. A value that is not on the list stays. */
export function OptionControl({ options, ...props }: ControlProps & { options: Option[] }) {
  const value = textOf(props.value);
  const isListed = options.some((option) => option.value === value);
  return (
    <select
      {...aria(props)}
      className={css.select}
      value={value}
      onChange={({ currentTarget }) => props.onChange(currentTarget.value)}
    >
      {!isListed && <option value={value}>{value || "choose"}</option>}
      {options.map((option) => (
        <option
          key={option.value}
          value={option.value}
          disabled={option.problem !== "" && option.value !== value}
          title={option.help}
        >
          {option.problem ? `${option.value} (${option.problem})` : option.value}
        </option>
      ))}
    </select>
  );
}

export function BooleanControl(props: ControlProps) {
  return (
    <input
      {...aria(props)}
      type="checkbox"
      checked={props.value === true}
      onChange={({ currentTarget }) => props.onChange(currentTarget.checked)}
    />
  );
}

interface ListProps extends ControlProps {
  field: ListField;
  numEntries: number | null; // one for each worker, or a list of any length
}

/** A list of numbers or texts: one small control for each entry; one entry may stand for all workers. */
export function ListControl({ field, numEntries, ...props }: ListProps) {
  const values: unknown[] = Array.isArray(props.value) ? props.value : [];
  const set = (index: number, value: unknown) => props.onChange(values.map((one, i) => (i === index ? value : one)));
  const nameOf = (index: number) =>
    numEntries === null ? `entry ${index + 1}` : values.length === 1 ? "all workers" : `worker ${index}`;
  const label = props.label ?? field.label;
  return (
    <div className={css.list} role="group" aria-label={label}>
      {values.map((value, index) => (
        <span key={index} className={css.entry}>
          <span className={css.entryName} aria-hidden="true">
            {numEntries === null ? index + 1 : values.length === 1 ? "all" : index}
          </span>
          <EntryControl
            field={field.item}
            {...props}
            id={index === 0 ? props.id : `${props.id}-entry-${index}`}
            label={`${label}, ${nameOf(index)}`}
            value={value}
            onChange={(next) => set(index, next)}
          />
        </span>
      ))}
      <ListButtons field={field} values={values} numEntries={numEntries} onChange={props.onChange} label={label} />
    </div>
  );
}

function EntryControl({ field, ...props }: ControlProps & { field: Field }) {
  if (field.kind === "group") return <GroupEntry {...props} field={field} />;
  return field.kind === "number" ? <NumberControl {...props} /> : <TextControl {...props} />;
}

/** An entry that is an object of numbers: a small control for each of them, with its name. */
function GroupEntry({ field, ...props }: ControlProps & { field: GroupField }) {
  const whole = isData(props.value) ? props.value : {};
  return (
    <span className={css.parts}>
      {settable(field).map((part, index) => (
        <span key={part.name} className={css.entry} title={part.help}>
          <span className={css.entryName} aria-hidden="true">
            {part.label.toLowerCase()}
          </span>
          <NumberControl
            {...props}
            id={index === 0 ? props.id : `${props.id}-${part.name}`}
            label={`${props.label ?? field.label}, ${part.label.toLowerCase()}`}
            value={whole[part.name]}
            isOptional={part.kind === "optional"}
            placeholder={part.kind === "optional" ? "none" : undefined}
            onChange={(next) => props.onChange({ ...whole, [part.name]: next })}
          />
          {part.unit && <span className="unit">{part.unit}</span>}
        </span>
      ))}
    </span>
  );
}

interface ButtonsProps {
  field: ListField;
  values: unknown[];
  numEntries: number | null;
  onChange: (value: unknown) => void;
  label: string;
}

function ListButtons({ field, values, numEntries, onChange, label }: ButtonsProps) {
  if (numEntries !== null) {
    if (numEntries <= 1 && values.length === 1) return null;
    const isShared = values.length === 1;
    const next = isShared ? Array.from({ length: numEntries }, () => values[0]) : values.slice(0, 1);
    return (
      <SmallButton onClick={() => onChange(next)}>
        {isShared ? "one for each worker" : "one for all"}
      </SmallButton>
    );
  }
  return (
    <>
      {values.length < field.maxItems && (
        <SmallButton
          aria-label={`Add an entry to ${label}`}
          onClick={() => onChange([...values, values.at(-1) ?? defaultOf(field.item)])}
        >
          +
        </SmallButton>
      )}
      {values.length > field.minItems && (
        <SmallButton
          aria-label={`Take the last entry from ${label}`}
          onClick={() => onChange(values.slice(0, -1))}
        >
          −
        </SmallButton>
      )}
    </>
  );
}
