import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { Link, Redirect, Route, Router, Switch, useLocation } from "wouter";
import { Guard, Problem } from "../components/states";
import { ApiError, api, asked } from "../lib/api";
import { follow } from "../lib/stream";
import { ActsPage } from "./ActsPage";
import { Desk } from "./Desk";
import { FindingsPage } from "./findings/FindingsPage";
import { MeterPage } from "./meters/MeterPage";
import { MetersPage } from "./meters/MetersPage";
import { PeoplePage } from "./people/PeoplePage";
import { SignIn } from "./SignIn";

const pages = [
  ["/", "Desk"],
  ["/meters", "Meters"],
  ["/findings", "Findings"],
  ["/people", "People"],
  ["/acts", "Acts"],
] as const;

/** The operator's console: who is signed in, then its pages. */
export function App() {
  const overview = useQuery({
    queryKey: ["overview"],
    queryFn: () => asked(api.GET("/api/v1/operator/overview")),
    refetchInterval: 15_000,
  });
  const isOut = overview.error instanceof ApiError && [401, 403].includes(overview.error.status);
  return (
    <Router base="/ops">
      <div className="mx-auto max-w-6xl space-y-4 p-4">
        <header className="flex flex-wrap items-center justify-between gap-4">
          <p className="font-bold text-lg">Jirani · operator</p>
          {overview.data && !isOut && <Pages />}
          <div className="flex gap-4">
            {/* The household's app is another page, not a route of this one. */}
            <a href="/" className="min-h-12 py-3 underline">
              Household app
            </a>
            {overview.data && !isOut && <SignOut />}
          </div>
        </header>
        {isOut && <SignIn />}
        {overview.isError && !isOut && (
          <Problem error={overview.error} onRetry={() => void overview.refetch()} />
        )}
        {overview.data && !isOut && (
          <main className="space-y-4">
            <Live />
            <Switch>
              <Route path="/">
                <h1 className="font-bold text-2xl">Desk</h1>
                <Desk overview={overview.data} />
              </Route>
              <Route path="/meters">
                <Guard>
                  <MetersPage now={overview.data.now} />
                </Guard>
              </Route>
              <Route path="/meters/:id">
                {({ id }) => (
                  <Guard key={id}>
                    <MeterPage id={id} now={overview.data.now} />
                  </Guard>
                )}
              </Route>
              <Route path="/findings">
                <Guard>
                  <FindingsPage />
                </Guard>
              </Route>
              <Route path="/people">
                <Guard>
                  <PeoplePage />
                </Guard>
              </Route>
              <Route path="/acts">
                <Guard>
                  <ActsPage />
                </Guard>
              </Route>
              <Route>
                <Redirect to="/" />
              </Route>
            </Switch>
          </main>
        )}
      </div>
    </Router>
  );
}

function Pages() {
  const [location] = useLocation();
  const current = (path: string) => (path === "/" ? location === "/" : location.startsWith(path));
  return (
    <nav aria-label="Pages">
      <ul className="flex flex-wrap gap-2">
        {pages.map(([path, name]) => (
          <li key={path}>
            <Link
              href={path}
              aria-current={current(path) ? "page" : undefined}
              className={`flex min-h-12 items-center rounded-xl px-4 ${
                current(path) ? "bg-leaf-700 font-semibold text-white" : "bg-stone-200 dark:bg-stone-800"
              }`}
            >
              {name}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function SignOut() {
  const client = useQueryClient();
  const out = useMutation({
    mutationFn: () => asked(api.DELETE("/api/v1/session")),
    onSettled: () => client.resetQueries(),
  });
  return (
    <button type="button" className="min-h-12 cursor-pointer underline" onClick={() => out.mutate()}>
      Sign out
    </button>
  );
}

function Live() {
  const client = useQueryClient();
  useEffect(() => follow(client), [client]);
  return null;
}
