import { useSyncExternalStore } from "react";
import { Dialog } from "../ui/Dialog";
import { activeKeys, keysVersion, namesOfKeys, subscribeKeys, type KeyAction } from "./keys";
import { isMac } from "./platform";
import css from "./KeyHelp.module.css";

/** Keys that belong to a kind of control; they act wherever such a control has the focus. */
const IN_CONTROLS: { title: string; keys: [string, string][] } = {
  title: "In lists and fields",
  keys: [
    ["Tab", "Next field, button or link"],
    ["Enter", "Follow the link, press the button"],
    ["Escape", "Close what is open; leave a field"],
    ["ArrowLeft ArrowRight", "Change the tab, once one has the focus"],
  ],
};

/** The keys that act on this page, in groups: those of the page first. */
export function KeyHelp({ onClose }: { onClose: () => void }) {
  useSyncExternalStore(subscribeKeys, keysVersion); // parts of a page that come later bring keys
  const groups = new Map<string, [string, string][]>();
  for (const { title, keys } of activeKeys().toReversed()) {
    groups.set(title, [...(groups.get(title) ?? []), ...listed(keys)]);
  }
  const everywhere = groups.get("Everywhere") ?? [];
  groups.delete("Everywhere");
  groups.set("Everywhere", [[isMac ? "⌘ K" : "Ctrl K", "Search for commands, runs and experiments"], ...everywhere]);
  groups.set(IN_CONTROLS.title, IN_CONTROLS.keys);
  return (
    <Dialog title="Keys" onClose={onClose} isWide>
      <div className={css.groups}>
        {[...groups].map(([title, rows]) => (
          <section key={title} className={css.group}>
            <h3>{title}</h3>
            <dl>
              {rows.map(([keys, label]) => (
                <div key={keys}>
                  <dt>
                    {namesOfKeys(keys).map((one) => (
                      <kbd key={one}>{one}</kbd>
                    ))}
                  </dt>
                  <dd>{label}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

function listed(keys: Record<string, KeyAction>): [string, string][] {
  return Object.entries(keys)
    .filter(([, action]) => !action.isHidden)
    .map(([key, action]) => [key, action.label]);
}
