/** What a filter that is being typed may go on with. */

import { quote, spotAt, type Spot } from "./filterText";
import type { FilterKey } from "./types";

export interface Offer {
  label: string;
  help: string;
  text: string; // takes the place of what was typed
  isDone: boolean; // nothing follows directly behind it
}

const MOST = 12;
const SETTINGS = "spec.";

/** The offers for the place of the caret, the likeliest first. */
export function offersAt(text: string, caret: number, keys: readonly FilterKey[]): { spot: Spot; offers: Offer[] } {
  const spot = spotAt(text, caret);
  const offers = spot.kind === "key" ? keyOffers(spot.typed, keys) : valueOffers(spot, keys);
  return { spot, offers: offers.slice(0, MOST) };
}

function keyOffers(typed: string, keys: readonly FilterKey[]): Offer[] {
  if (typed.startsWith('"')) return [];
  const wanted = typed.toLowerCase();
  const rankOf = ({ key, help }: FilterKey): number => {
    const isSetting = key.startsWith(SETTINGS);
    if (wanted === "") return isSetting ? -1 : 2;
    if (key.startsWith(wanted)) return 3;
    if (key.includes(wanted)) return isSetting && !wanted.startsWith("sp") && wanted.length < 3 ? -1 : 2;
    return wanted.length >= 3 && help.toLowerCase().includes(wanted) ? 1 : -1;
  };
  return keys
    .map((key) => ({ key, rank: rankOf(key) }))
    .filter(({ rank }) => rank > 0)
    .toSorted((a, b) => b.rank - a.rank)
    .map(({ key: { key, help, example } }) => ({
      label: key,
      help: `${help} ${example}`,
      text: key + operatorOf(key, example),
      isDone: false,
    }));
}

/** The operator that the example of a key shows. */
function operatorOf(key: string, example: string): string {
  const behind = example.slice(key.length);
  return /^(>=|<=|!=|[:=<>])/.exec(behind)?.[0] ?? ":";
}

function valueOffers({ key, typed }: Spot, keys: readonly FilterKey[]): Offer[] {
  const found = keys.find((one) => one.key === key);
  if (!found) return [];
  const wanted = typed.toLowerCase();
  const matching = found.values.filter((value) => value.toLowerCase().includes(wanted));
  return matching
    .toSorted((a, b) => Number(b.toLowerCase().startsWith(wanted)) - Number(a.toLowerCase().startsWith(wanted)))
    .map((value) => ({ label: value, help: "", text: quote(value), isDone: true }));
}

/** Put an offer in its place; gives the text and where the caret stands then. */
export function accept(text: string, spot: Spot, offer: Offer): { text: string; caret: number } {
  const before = text.slice(0, spot.start) + offer.text + (offer.isDone ? " " : "");
  return { text: before + text.slice(spot.end).trimStart(), caret: before.length };
}
