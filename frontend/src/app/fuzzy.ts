/** Finding what somebody means by a few letters: each word's letters in order, best at the start of words. */

export interface Match {
  score: number; // larger is better
  at: number[]; // places of the letters that were matched, in order
}

const WHOLE_WORD = 12;
const WORD_START = 14;
const IN_A_ROW = 6;
const MAX_LENGTH = 200; // longer texts are looked at up to here

/** Match a query against a text; null: not all of its words are in it. An empty query matches everything alike. */
export function match(query: string, text: string): Match | null {
  const lower = text.slice(0, MAX_LENGTH).toLowerCase();
  const at = new Set<number>();
  let score = 0;
  for (const word of query.toLowerCase().split(/\s+/).filter(Boolean)) {
    const found = matchWord(word, lower);
    if (!found) return null;
    score += found.score;
    for (const place of found.at) at.add(place);
  }
  return { score: score - lower.length / MAX_LENGTH, at: [...at].toSorted((a, b) => a - b) };
}

function isStart(text: string, place: number): boolean {
  return place === 0 || !/[\p{L}\p{N}]/u.test(text[place - 1] ?? "");
}

function matchWord(word: string, text: string): Match | null {
  return matchWhole(word, text) ?? matchLetters(word, text);
}

/** The word as it stands, at the start of a word of the text if it can be. */
function matchWhole(word: string, text: string): Match | null {
  let best = -1;
  for (let place = text.indexOf(word); place >= 0; place = text.indexOf(word, place + 1)) {
    if (best < 0) best = place;
    if (isStart(text, place)) {
      best = place;
      break;
    }
  }
  if (best < 0) return null;
  const score = WHOLE_WORD + word.length * IN_A_ROW + (isStart(text, best) ? WORD_START * 2 : 0);
  return { score, at: Array.from(word, (_, i) => best + i) };
}

/** The letters in their order; each at the next start of a word where there is one, else at its next place. */
function matchLetters(word: string, text: string): Match | null {
  const at: number[] = [];
  let score = 0;
  let from = 0;
  for (let i = 0; i < word.length; i += 1) {
    const place = nextPlace(word, i, text, from);
    if (place < 0) return null;
    if (isStart(text, place)) score += WORD_START;
    if (place === from && i > 0) score += IN_A_ROW;
    else if (i > 0) score -= Math.min(3, place - from);
    at.push(place);
    from = place + 1;
  }
  // Letters that lie about anywhere are no match: at least half of them must begin a word or follow another.
  const numGood = at.filter((place, i) => isStart(text, place) || place === (at[i - 1] ?? -2) + 1).length;
  return numGood * 2 >= word.length ? { score, at } : null;
}

function nextPlace(word: string, i: number, text: string, from: number): number {
  const letter = word[i] ?? "";
  const first = text.indexOf(letter, from);
  if (first < 0 || first === from || isStart(text, first)) return first;
  for (let place = first; place >= 0; place = text.indexOf(letter, place + 1)) {
    if (isStart(text, place) && hasRest(word.slice(i + 1), text, place + 1)) return place;
  }
  return first;
}

function hasRest(rest: string, text: string, from: number): boolean {
  let place = from;
  for (const letter of rest) {
    place = text.indexOf(letter, place) + 1;
    if (place === 0) return false;
  }
  return true;
}
