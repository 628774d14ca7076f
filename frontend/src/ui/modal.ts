import { useEffect, useRef, type RefObject } from "react";

interface Modal {
  ref: RefObject<HTMLDialogElement | null>;
  onCancel: (event: Event) => void;
  onPointerDown: (event: PointerEvent) => void;
  onClick: (event: MouseEvent) => void;
}

/**
 * What makes a `<dialog>` modal while it is shown: the browser keeps the focus inside, Escape and a click beside it
 * close, the focus goes back to where it was.
 */
export function useModal(onClose: () => void): Modal {
  const ref = useRef<HTMLDialogElement>(null);
  const isPressedBeside = useRef(false); // text that is marked to beyond the edge ends in a click beside it, too
  useEffect(() => {
    const opener = document.activeElement;
    const element = ref.current;
    element?.showModal();
    return () => {
      element?.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
    };
  }, []);
  return {
    ref,
    onCancel: (event) => {
      event.preventDefault();
      onClose();
    },
    onPointerDown: ({ target }) => (isPressedBeside.current = target === ref.current),
    onClick: ({ target }) => target === ref.current && isPressedBeside.current && onClose(),
  };
}
