import { Component, type ReactNode } from "react";
import { Button } from "../ui/Button";
import { Notice } from "../ui/Notice";

interface State {
  error: Error | undefined;
}

/** A fault of a page stays on that page and says so; the header and the other pages go on. */
export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: undefined };

  static override getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <Notice kind="fault" title="This page could not be drawn.">
        <p>{error.message}</p>
        <p>No run is harmed by it: training does not depend on this page.</p>
        <p>
          <Button onClick={() => window.location.reload()}>Load the page again</Button>
        </p>
      </Notice>
    );
  }
}
