/**
 * Answers that the server has written into the page, so that its first drawing shows what it is about.
 *
 * Each is good for one question, and only for a moment: later the server knows more.
 */

const GOOD_FOR_MS = 3000; // from the start of the page
const answers = new Map<string, string>();

/** Find the answers in the page. */
export function readPageAnswers(): void {
  for (const block of document.querySelectorAll<HTMLElement>("script[data-answer]")) {
    answers.set(block.dataset["answer"] ?? "", block.textContent);
    block.remove();
  }
}

export function forgetPageAnswers(): void {
  answers.clear();
}

const NEVER = new Promise<never>(() => undefined);
let atOnce: { given?: { promise: Promise<unknown>; answer: unknown } } | undefined; // while only the page is asked

/** Take the answer to a question out of the page; undefined where the server has to be asked. */
export function answerInPage<T>(url: string): Promise<T> | undefined {
  const text = performance.now() < GOOD_FOR_MS ? answers.get(url) : undefined;
  answers.delete(url);
  if (text === undefined) return atOnce && NEVER;
  const answer = JSON.parse(text) as T;
  const promise = Promise.resolve(answer);
  if (atOnce) atOnce.given = { promise, answer };
  return promise;
}

/** Give at once what a fetcher would give later, where the page holds it; never asks the server. */
export function answerAtOnce(fetcher: (signal: AbortSignal) => Promise<unknown>): unknown {
  if (answers.size === 0) return undefined;
  const found: typeof atOnce = (atOnce = {});
  try {
    const promise = fetcher(new AbortController().signal);
    return found.given?.promise === promise ? found.given.answer : undefined; // else it makes something of the answer
  } finally {
    atOnce = undefined;
  }
}
