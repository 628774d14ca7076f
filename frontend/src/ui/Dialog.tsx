import { useEffect, useId, useRef, type ReactNode } from "react";
import { CloseButton } from "./IconButton";
import css from "./Dialog.module.css";

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
  actions?: ReactNode; // buttons at the foot, the main one last
  isWide?: boolean;
}

/** A modal dialog: the browser keeps the focus inside, Escape and a click beside it close, the focus goes back. */
export function Dialog({ title, onClose, children, actions, isWide = false }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const opener = document.activeElement;
    const element = dialog.current;
    element?.showModal();
    return () => {
      element?.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    // A click on the backdrop is a convenience: the keyboard has Escape and the close button.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/click-events-have-key-events
    <dialog
      ref={dialog}
      className={css.dialog}
      data-wide={isWide || undefined}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div className={css.box}>
        <header>
          <h2 id={titleId}>{title}</h2>
          <CloseButton onClick={onClose} aria-label="Close" title="Close (Esc)" />
        </header>
        <div className={css.body}>{children}</div>
        {actions && <footer>{actions}</footer>}
      </div>
    </dialog>
  );
}
