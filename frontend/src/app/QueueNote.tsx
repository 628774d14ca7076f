import { api } from "../api/client";
import { useResource } from "../api/resource";
import { isPlainClick, Link } from "./Link";
import css from "./Shell.module.css";

/** How much trains and waits at present, on every page; leads to the queue. */
export function QueueNote() {
  const { data } = useResource("queue", api.queue, (queue) =>
    queue && queue.running.length + queue.waiting.length > 0 ? 1500 : 4000,
  );
  if (!data || (data.running.length + data.waiting.length === 0 && !data.is_paused)) return null;
  const waiting = data.waiting.length ? `, ${data.waiting.length} queued` : "";
  return (
    <Link
      to="/experiments#queue"
      className={css.queue}
      onClick={(event) => {
        if (!isPlainClick(event)) return;
        event.preventDefault();
        void import("./commands").then(({ goToQueue }) => goToQueue());
      }}
    >
      {data.running.length} running{waiting}
      {data.is_paused && <b>, paused</b>}
    </Link>
  );
}
