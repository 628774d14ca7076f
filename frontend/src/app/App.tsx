import { lazy, Suspense } from "react";
import { ErrorBoundary } from "./ErrorBoundary";
import { Link } from "./Link";
import { matchPage, useLocation, type Page } from "./router";
import { Shell } from "./Shell";
import { useTitle } from "./title";
import { SkeletonPage } from "../ui/Skeleton";

const ExperimentsPage = lazy(() =>
  import("../experiments/ExperimentsPage").then((m) => ({ default: m.ExperimentsPage })),
);
const ExperimentPage = lazy(() => import("../experiments/ExperimentPage").then((m) => ({ default: m.ExperimentPage })));
const HistoryPage = lazy(() => import("../history/HistoryPage").then((m) => ({ default: m.HistoryPage })));
const ComparePage = lazy(() => import("../compare/ComparePage").then((m) => ({ default: m.ComparePage })));
const RunPage = lazy(() => import("../run/RunPage").then((m) => ({ default: m.RunPage })));

export function App() {
  const { path } = useLocation();
  return (
    <Shell>
      <ErrorBoundary key={path}>
        <Suspense fallback={<SkeletonPage />}>
          <View page={matchPage(path)} />
        </Suspense>
      </ErrorBoundary>
    </Shell>
  );
}

function View({ page }: { page: Page }) {
  switch (page.name) {
    case "experiments":
      return <ExperimentsPage />;
    case "experiment":
      return <ExperimentPage key={page.id} experimentId={page.id} />;
    case "history":
      return <HistoryPage />;
    case "run":
      return <RunPage key={page.id} runId={page.id} />;
    case "compare":
      return <ComparePage />;
    case "unknown":
      return <UnknownPage />;
  }
}

function UnknownPage() {
  useTitle("No such page");
  return (
    <>
      <h1>No such page</h1>
      <p>
        This address belongs to no page. <Link to="/experiments">Experiments</Link> and <Link to="/runs">History</Link>{" "}
        are there.
      </p>
    </>
  );
}
