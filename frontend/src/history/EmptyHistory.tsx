import { useRef, useState } from "react";
import { api, ApiError, newIdempotencyKey } from "../api/client";
import { invalidate, useResource } from "../api/resource";
import { Link } from "../app/Link";
import { navigate } from "../app/router";
import { Button } from "../ui/Button";
import { Notice } from "../ui/Notice";
import { SkeletonRows } from "../ui/Skeleton";
import table from "../ui/Table.module.css";

/** What will be here, and the shortest way to it. */
export function EmptyHistory() {
  const { data: catalogue, isLoading } = useResource("catalogue", api.catalogue);
  const demonstration = catalogue?.presets.find(({ name }) => name === "demonstration");
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const key = useRef("");
  const start = async () => {
    if (!demonstration) return;
    key.current ||= newIdempotencyKey();
    setBusy(true);
    try {
      const experiment = await api.startExperiment(demonstration.experiment, key.current);
      invalidate("experiments");
      invalidate("runs");
      invalidate("queue");
      navigate(`/experiments/${experiment.id}`);
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setError(problem.message);
      setBusy(false);
    }
  };
  if (isLoading) return <SkeletonRows num={6} label="Loading the demonstration" />;
  return (
    <div className={`${table.scroll ?? ""} ${table.empty ?? ""}`}>
      <p>
        Every run that is started will stand here, with its settings, its time to the target and how long its workers
        waited.
      </p>
      {demonstration && (
        <p>
          <Button kind="primary" isBusy={isBusy} onClick={() => void start()}>
            {isBusy ? "Starting" : "Run the demonstration"}
          </Button>
        </p>
      )}
      {demonstration && <p className="quiet">{demonstration.description}</p>}
      <p>
        Or <Link to="/experiments">write an experiment of your own</Link>.
      </p>
      {error !== "" && <Notice kind="fault">{error}</Notice>}
    </div>
  );
}
