import { Dialog } from "../ui/Dialog";
import { activeKeys } from "./keys";
import css from "./KeyHelp.module.css";

const NAMES: Record<string, string> = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };

/** The keys that act on this page. */
export function KeyHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      {activeKeys().map(({ title, keys }) => (
        <section key={title} className={css.group}>
          <h3>{title}</h3>
          <dl>
            {Object.entries(keys)
              .filter(([, action]) => !action.isHidden)
              .map(([key, action]) => (
                <div key={key}>
                  <dt>
                    {(key === " " ? [key] : key.split(" ")).map((one) => (
                      <kbd key={one}>{NAMES[one] ?? one}</kbd>
                    ))}
                  </dt>
                  <dd>{action.label}</dd>
                </div>
              ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}
