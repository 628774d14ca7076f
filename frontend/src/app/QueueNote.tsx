import { api } from "../api/client";
import { useResource } from "../api/resource";
import { Link } from "./Link";
import css from "./Shell.module.css";

/** How much trains and waits at present, on every page; leads to the list of those runs. */
export function QueueNote() {
  const { data } = useResource("queue", api.queue, (queue) =>
    queue && queue.running.length + queue.waiting.length > 0 ? 1500 : 4000,
  );
  if (!data || data.running.length + data.waiting.length === 0) return null;
  const waiting = data.waiting.length ? `, ${data.waiting.length} queued` : "";
  return (
    <Link to="/runs?state=queued,starting,running,stopping" className={css.queue}>
      {data.running.length} running{waiting}
    </Link>
  );
}
