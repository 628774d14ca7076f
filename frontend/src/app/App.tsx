import { ErrorBoundary } from "./ErrorBoundary";
import { Link } from "./Link";
import { usePage } from "./pages";
import { matchPage, useLocation, type Page } from "./router";
import { Shell } from "./Shell";
import { useTitle } from "./title";
import { SkeletonPage } from "../ui/Skeleton";

export function App() {
  const { path } = useLocation();
  return (
    <Shell>
      <ErrorBoundary key={path}>
        <View page={matchPage(path)} />
      </ErrorBoundary>
    </Shell>
  );
}

function View({ page }: { page: Page }) {
  const draw = usePage(page.name);
  if (page.name === "unknown") return <UnknownPage />;
  return draw ? draw(page) : <SkeletonPage />;
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
