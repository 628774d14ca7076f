/** The server's end of the page's socket, as tests play it. */

import type { LiveFrame, Socket } from "./hub";

interface Said {
  type: string;
  run_id?: string;
  after?: number;
  ticket?: number;
  topic?: "runs";
}

export class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  isClosed = false;
  readonly said: Said[] = [];
  private numAnswered = 0;

  constructor(readonly path: string) {}

  close(): void {
    this.isClosed = true;
  }

  /** What the page sends. */
  send(text: string): void {
    this.said.push(JSON.parse(text) as Said);
  }

  /** What the server sends. */
  tell(frame: LiveFrame): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  open(): void {
    this.onopen?.();
  }

  /** Answer the subscriptions that came since the last answer. */
  answer(): void {
    for (const { type, run_id, after, ticket, topic } of this.said.slice(this.numAnswered)) {
      if (type !== "subscribe") continue;
      this.tell({
        type: "subscribed",
        run_id: run_id ?? null,
        after: after ?? null,
        ticket: ticket ?? null,
        topic: topic ?? null,
      });
    }
    this.numAnswered = this.said.length;
  }

  sendEvents(runId: string, first: number, last: number): void {
    const events = Array.from({ length: last - first + 1 }, (_, i) => ({ seq: first + i })) as never[];
    this.tell({ type: "events", run_id: runId, events, last_seq: last });
  }

  fail(code: number): void {
    this.onclose?.({ code });
  }
}

export class FakeServer {
  readonly sockets: FakeSocket[] = [];

  readonly connect = (path: string): FakeSocket => {
    const socket = new FakeSocket(path);
    this.sockets.push(socket);
    return socket;
  };

  get newest(): FakeSocket {
    return this.sockets[this.sockets.length - 1] as FakeSocket;
  }
}
