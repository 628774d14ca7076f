import { limitsOf } from "./check";
import {
  BooleanControl,
  ChoiceControl,
  ListControl,
  NumberControl,
  OptionControl,
  TextControl,
  type ControlProps,
} from "./controls";
import { controlId, insideOf, problemsOf, type FormModel } from "./model";
import {
  defaultOf,
  settable,
  variantOf,
  type Field,
  type GroupField,
  type OptionalField,
  type UnionField,
} from "./schema";
import { join } from "./values";
import { SmallButton } from "../ui/SmallButton";
import css from "./form.module.css";

interface Props {
  field: Field;
  path: string;
  model: FormModel;
}

/** All fields of an object; those for experts stand folded at the end. */
export function Fields({ group, path, model }: { group: GroupField; path: string; model: FormModel }) {
  const fields = settable(group);
  const advanced = fields.filter((field) => field.isAdvanced);
  const rows = (some: Field[]) =>
    some.map((field) => <FieldRow key={field.name} field={field} path={join(path, field.name)} model={model} />);
  const isWrong = advanced.some(({ name }) =>
    model.problems.some((problem) => problem.field.startsWith(join(path, name))),
  );
  return (
    <>
      {rows(fields.filter((field) => !field.isAdvanced))}
      {advanced.length > 0 && (
        <details className={css.advanced} open={isWrong || undefined}>
          <summary>
            Advanced: <span className="quiet">{advanced.map((field) => field.label.toLowerCase()).join(", ")}</span>
          </summary>
          {rows(advanced)}
        </details>
      )}
    </>
  );
}

/** One setting: label, one control for each of its values, help. */
export function FieldRow({ field, path, model }: Props) {
  if (field.kind === "group") {
    return (
      <fieldset className={css.group}>
        <legend>{field.label}</legend>
        <Fields group={field} path={path} model={model} />
      </fieldset>
    );
  }
  if (field.kind === "union") return <UnionRow field={field} path={path} model={model} />;
  if (field.kind === "optional" && (field.field.kind === "group" || field.field.kind === "union")) {
    return <OptionalRow field={field} path={path} model={model} />;
  }
  return <LeafRow field={field} path={path} model={model} />;
}

function LeafRow({ field, path, model }: Props) {
  const values = model.valuesAt(path);
  const helpId = `${controlId(model, path)}-help`;
  const limits = limitsOf(field);
  return (
    <div className={css.row}>
      <label className={css.label} htmlFor={controlId(model, path)}>
        {field.label}
      </label>
      <div className={css.controls}>
        {values.map((value, index) => {
          const problems = problemsOf(model, path, index);
          const id = controlId(model, path, index);
          return (
            <div key={index} className={css.value}>
              <div className={css.line}>
                <Control
                  field={field}
                  path={path}
                  model={model}
                  id={id}
                  label={values.length > 1 ? `${field.label}, value ${index + 1}` : undefined}
                  value={value}
                  onChange={(next) => model.change(path, index, next)}
                  isWrong={problems.length > 0}
                  describedBy={problems.length > 0 ? `${id}-wrong ${helpId}` : helpId}
                />
                {field.unit && <span className="unit">{field.unit}</span>}
                <ValueButtons field={field} path={path} model={model} index={index} />
              </div>
              <Problems id={`${id}-wrong`} wishes={problems.map(({ wish }) => wish)} />
            </div>
          );
        })}
      </div>
      <p id={helpId} className={css.help}>
        {field.help}
        {limits && ` ${limits.charAt(0).toUpperCase()}${limits.slice(1)}.`}
      </p>
    </div>
  );
}

/** What is wrong with a value; read out when it appears. */
export function Problems({ id, wishes }: { id: string; wishes: string[] }) {
  return (
    <span id={id} className={css.wrong} aria-live="polite">
      {wishes.join("; ")}
    </span>
  );
}

function Control({ field, path, model, ...props }: ControlProps & Props) {
  switch (field.kind) {
    case "number":
      return <NumberControl {...props} />;
    case "choice":
      return <ChoiceControl {...props} field={field} />;
    case "boolean":
      return <BooleanControl {...props} />;
    case "list":
      return <ListControl {...props} field={field} numEntries={model.entriesAt(path)} />;
    case "optional":
      if (field.field.kind === "number") return <NumberControl {...props} isOptional placeholder="none" />;
      if (field.field.kind === "text") return <TextControl {...props} isOptional placeholder="none" />;
      return <Control {...props} field={field.field} path={path} model={model} />;
    default: {
      const options = model.optionsAt(path);
      return options ? <OptionControl {...props} options={options} /> : <TextControl {...props} />;
    }
  }
}

/** "+ value" after the last value of a setting, "×" where it has several. */
function ValueButtons({ field, path, model, index }: Props & { index: number }) {
  const { addValue } = model;
  if (!addValue) return null;
  const values = model.valuesAt(path);
  return (
    <>
      {values.length > 1 && (
        <SmallButton
          aria-label={`Take value ${index + 1} of ${field.label} away`}
          onClick={() => model.removeValue(path, index)}
        >
          ×
        </SmallButton>
      )}
      {index === values.length - 1 && (
        <SmallButton
          data-shy={values.length === 1 || undefined}
          title={`Run the experiment with several values of ${field.label}`}
          aria-label={`Add a value of ${field.label}`}
          onClick={() => addValue(path, values[index])}
        >
          + value
        </SmallButton>
      )}
    </>
  );
}

/** A setting of several kinds, each with settings of its own. */
function UnionRow({ field, path, model }: Props & { field: UnionField }) {
  const values = model.valuesAt(path);
  const name = field.label.toLowerCase();
  const { addValue } = model;
  return (
    <div className={css.union}>
      {values.map((value, index) => (
        <UnionValue key={index} field={field} path={path} model={model} index={index} value={value} />
      ))}
      {addValue && field.tag !== null && (
        <p className={css.addVariant}>
          <SmallButton onClick={() => addValue(path, nextVariant(field, values))}>
            + another {name} to compare
          </SmallButton>
        </p>
      )}
    </div>
  );
}

/** The first kind that is not there yet; else a copy of the last one, to be changed. */
function nextVariant(field: UnionField, values: unknown[]): unknown {
  const used = new Set(values.map((value) => variantOf(field, value)));
  const fresh = field.variants.find((_, index) => !used.has(index));
  return fresh ? defaultOf(fresh.field) : values.at(-1);
}

function UnionValue({
  field,
  path,
  model,
  index,
  value,
}: Props & { field: UnionField; index: number; value: unknown }) {
  const isSeveral = model.valuesAt(path).length > 1;
  const chosen = variantOf(field, value);
  const variant = field.variants[chosen];
  const id = controlId(model, path, index);
  const problems = problemsOf(model, path, index);
  const inner = isSeveral ? insideOf(model, path, index) : model;
  const choose = (next: number) => {
    const target = field.variants[next];
    if (target && next !== chosen) model.change(path, index, defaultOf(target.field));
  };
  return (
    <div className={css.variant} data-several={isSeveral || undefined}>
      <div className={css.row}>
        <label className={css.label} htmlFor={id}>
          {field.label}
          {isSeveral && <span className="quiet"> {index + 1}</span>}
        </label>
        <div className={css.controls}>
          <div className={css.line}>
            <select
              id={id}
              className={css.select}
              value={chosen}
              aria-invalid={problems.length > 0 || undefined}
              onChange={({ currentTarget }) => choose(Number(currentTarget.value))}
            >
              {chosen < 0 && <option value={-1}>choose</option>}
              {field.variants.map((one, i) => (
                <option key={one.label} value={i}>
                  {one.label.replaceAll("_", " ")}
                </option>
              ))}
            </select>
            {isSeveral && (
              <SmallButton
                aria-label={`Take ${field.label} ${index + 1} away`}
                onClick={() => model.removeValue(path, index)}
              >
                ×
              </SmallButton>
            )}
          </div>
          <Problems id={`${id}-wrong`} wishes={problems.map(({ wish }) => wish)} />
        </div>
        <p className={css.help}>{variant?.help || field.help}</p>
      </div>
      {variant?.field.kind === "group" && <Fields group={variant.field} path={path} model={inner} />}
    </div>
  );
}

/** A whole object that may be absent. */
function OptionalRow({ field, path, model }: Props & { field: OptionalField }) {
  const [value] = model.valuesAt(path);
  const isGiven = value !== null && value !== undefined;
  const id = controlId(model, path);
  return (
    <div>
      <div className={css.row}>
        <label className={css.label} htmlFor={id}>
          {field.label}
        </label>
        <div className={css.controls}>
          <div className={css.line}>
            <input
              id={id}
              type="checkbox"
              checked={isGiven}
              onChange={({ currentTarget }) => model.change(path, 0, currentTarget.checked ? defaultOf(field.field) : null)}
            />
          </div>
          <Problems id={`${id}-wrong`} wishes={problemsOf(model, path, 0).map(({ wish }) => wish)} />
        </div>
        <p className={css.help}>{field.help}</p>
      </div>
      {isGiven && (
        <div className={css.inner}>
          {field.field.kind === "group" ? (
            <Fields group={field.field} path={path} model={model} />
          ) : (
            <FieldRow field={field.field} path={path} model={model} />
          )}
        </div>
      )}
    </div>
  );
}
