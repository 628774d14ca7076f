import type { ReactNode } from "react";
import type { ApiError } from "../api/client";
import { invalidate } from "../api/resource";
import { Button } from "./Button";
import { Notice } from "./Notice";
import css from "./Notice.module.css";

interface Props {
  title?: string;
  error: ApiError;
  resource: string; // the key of what did not come, or how it begins
  children?: ReactNode;
}

/** Something could not be read, and why; where that may pass, a way to ask for it again. A refusal stays one. */
export function LoadFault({ title, error, resource, children }: Props) {
  const mayPass = error.isConnection || error.status >= 500;
  return (
    <Notice kind="fault" title={title}>
      <p>{error.message}</p>
      {children}
      {mayPass && (
        <Button className={css.again ?? ""} onClick={() => invalidate(resource)}>
          Try again
        </Button>
      )}
    </Notice>
  );
}
