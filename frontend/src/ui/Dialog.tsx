import { useId, type ReactNode } from "react";
import { CloseButton } from "./IconButton";
import { useModal } from "./modal";
import css from "./Dialog.module.css";

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
  actions?: ReactNode; // buttons at the foot, the main one last
  isWide?: boolean;
}

/** A modal dialog with a title, and buttons at its foot. */
export function Dialog({ title, onClose, children, actions, isWide = false }: Props) {
  const modal = useModal(onClose);
  const titleId = useId();
  return (
    <dialog {...modal} className={css.dialog} data-wide={isWide || undefined} aria-labelledby={titleId}>
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
