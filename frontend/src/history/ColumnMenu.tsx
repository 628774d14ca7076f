import { ALL_COLUMNS, usualColumns } from "./columns";
import { Popover } from "./Popover";
import { Button } from "../ui/Button";
import css from "./Popover.module.css";

interface Props {
  shown: readonly string[]; // keys
  hasBaseline: boolean;
  onChange: (keys: string[]) => void; // empty: those that are shown by default
}

const GROUPS = [
  { title: "Columns", isIn: (key: string) => !key.endsWith("_change") },
  { title: "Change against the baseline", isIn: (key: string) => key.endsWith("_change") },
];

const NAMES: Record<string, string> = {
  target_change: "Time to target",
  accuracy_change: "Accuracy",
  utilisation_change: "Utilisation",
  wait_change: "Waiting",
};

/** Which columns the list shows. The choice stands in the address, and in a saved view. */
export function ColumnMenu({ shown, hasBaseline, onChange }: Props) {
  const order = [...ALL_COLUMNS.map(({ key }) => key), "tags"];
  const usual = usualColumns(hasBaseline);
  const toggle = (key: string) => {
    const wanted = shown.includes(key) ? shown.filter((one) => one !== key) : [...shown, key];
    const next = order.filter((one) => wanted.includes(one));
    onChange(
      next.join() === order.filter((one) => usual.includes(one)).join() ? [] : next.length > 0 ? next : ["state"],
    );
  };
  const titles = [
    ...ALL_COLUMNS.map(({ key, title }) => ({ key, title: NAMES[key] ?? title })),
    { key: "tags", title: "Tags" },
  ];
  return (
    <Popover label="Columns" title="Columns of the list">
      {(close) => (
        <>
          {GROUPS.map(({ title, isIn }) => (
            <section key={title}>
              <h2>{title}</h2>
              {title !== "Columns" && !hasBaseline && (
                <p className="quiet">Pin a run as the baseline to have figures here.</p>
              )}
              {titles
                .filter(({ key }) => isIn(key))
                .map(({ key, title: name }) => (
                  <div key={key} className={css.row}>
                    <label>
                      <input type="checkbox" checked={shown.includes(key)} onChange={() => toggle(key)} />
                      {name}
                    </label>
                  </div>
                ))}
            </section>
          ))}
          <Button
            kind="quiet"
            onClick={() => {
              onChange([]);
              close();
            }}
          >
            As by default
          </Button>
        </>
      )}
    </Popover>
  );
}
