/** What the unit tests draw components with: the DOM Testing Library, over Preact. */

import { configure } from "@testing-library/dom";
import { render as draw, type ComponentChild } from "preact";
import { act as flush } from "preact/test-utils";

export { fireEvent, screen, waitFor, within } from "@testing-library/dom";

let boxes: HTMLElement[] = [];

/** Do something that changes what is drawn, and wait until it is drawn and its effects have run. */
export function act(work: () => Promise<unknown>): Promise<void>;
export function act(work: () => void): void;
export function act(work: () => unknown): Promise<void> | void {
  return flush(() => work() as Promise<void>);
}

configure({
  eventWrapper: (fire) => {
    let result: unknown;
    act(() => {
      result = fire();
    });
    return result;
  },
});

/** Draw something into a box of its own in the document. */
export function render(shown: ComponentChild) {
  const container = document.body.appendChild(document.createElement("div"));
  boxes.push(container);
  const rerender = (next: ComponentChild) => act(() => draw(next, container));
  rerender(shown);
  return { container, rerender, unmount: () => rerender(null) };
}

/** Call a hook inside a component; `result.current` is what it gave last. */
export function renderHook<Result, Props = undefined>(hook: (props: Props) => Result, initialProps?: Props) {
  const result = {} as { current: Result };
  const Caller = ({ props }: { props: Props }) => {
    result.current = hook(props);
    return null;
  };
  const { rerender, unmount } = render(<Caller props={initialProps as Props} />);
  return { result, rerender: (props: Props) => rerender(<Caller props={props} />), unmount };
}

/** Take away what was drawn: after each test. */
export function cleanup(): void {
  for (const box of boxes) {
    act(() => draw(null, box));
    box.remove();
  }
  boxes = [];
}
