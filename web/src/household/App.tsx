import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useSyncExternalStore } from "react";
import { Link, Redirect, Route, Switch, useLocation } from "wouter";
import { Icon } from "../components/icons";
import { Problem } from "../components/states";
import { BillScreen } from "../features/bill/BillScreen";
import { HistoryScreen } from "../features/history/HistoryScreen";
import { HomeScreen } from "../features/home/HomeScreen";
import { MarketScreen } from "../features/market/MarketScreen";
import { PaymentScreen } from "../features/market/PaymentScreen";
import { MoneyScreen } from "../features/money/MoneyScreen";
import { RulesScreen } from "../features/rules/RulesScreen";
import { SignIn } from "../features/signin/SignIn";
import { useLanguage, useMessages } from "../i18n";
import { ApiError, api, asked } from "../lib/api";
import { follow } from "../lib/stream";

const HandsetScreen = lazy(() =>
  import("../features/handset/HandsetScreen").then((module) => ({ default: module.HandsetScreen })),
);
const ForecastScreen = lazy(() =>
  import("../features/forecast/ForecastScreen").then((module) => ({ default: module.ForecastScreen })),
);

/** The household's app: who is signed in, then tabs. */
export function App() {
  const messages = useMessages();
  const client = useQueryClient();
  const me = useQuery({ queryKey: ["me"], queryFn: () => asked(api.GET("/api/v1/me")) });
  const [location, go] = useLocation();
  const signOut = useMutation({
    mutationFn: () => asked(api.DELETE("/api/v1/session")),
    onSettled: async () => {
      await client.resetQueries({ queryKey: ["me"] });
      // The next person starts at home and finds nothing of this one.
      go("/");
      client.removeQueries({ type: "inactive" });
    },
  });
  const signedOut = me.error instanceof ApiError && (me.error.status === 401 || me.error.status === 403);
  return (
    <div className="mx-auto flex min-h-dvh max-w-xl flex-col px-4 pb-24">
      <Header name={me.data?.name ?? null} onSignOut={() => signOut.mutate()} />
      <Offline />
      <main className="flex-1">
        {location === "/handset" ? (
          <Suspense fallback={<div className="h-64" />}>
            <HandsetScreen />
          </Suspense>
        ) : signedOut ? (
          <SignIn
            onSignedIn={() => void client.resetQueries()}
            onOperator={() => {
              window.location.href = "/ops";
            }}
          />
        ) : me.data && !signOut.isPending ? (
          <Screens />
        ) : me.isError ? (
          <Problem error={me.error} onRetry={() => void me.refetch()} />
        ) : (
          <p role="status">{messages.loading}</p>
        )}
      </main>
      {me.data && <Tabs />}
    </div>
  );
}

function Screens() {
  const client = useQueryClient();
  useEffect(() => follow(client), [client]);
  return (
    <Suspense fallback={<div className="h-64" />}>
      <Switch>
        <Route path="/" component={HomeScreen} />
        <Route path="/forecast" component={ForecastScreen} />
        <Route path="/market" component={MarketScreen} />
        <Route path="/rules" component={RulesScreen} />
        <Route path="/pay/:id">{(params) => <PaymentScreen id={Number(params.id)} />}</Route>
        <Route path="/money" component={MoneyScreen} />
        <Route path="/history" component={HistoryScreen} />
        <Route path="/bill" component={BillScreen} />
        <Route>
          <Redirect to="/" />
        </Route>
      </Switch>
    </Suspense>
  );
}

function Header({ name, onSignOut }: { name: string | null; onSignOut: () => void }) {
  const { language, messages, speak } = useLanguage();
  return (
    <header className="flex items-center justify-between gap-3 py-3">
      <p className="min-w-0 leading-tight">
        <span className="block font-bold text-lg">{messages.appName}</span>
        {name && <span className="block truncate text-sm">{name}</span>}
      </p>
      <div className="flex shrink-0 gap-2 text-sm">
        <button
          type="button"
          className="min-h-12 min-w-12 cursor-pointer underline"
          onClick={() => speak(language === "en" ? "sw" : "en")}
        >
          <span lang={language === "en" ? "sw" : "en"}>{language === "en" ? "Kiswahili" : "English"}</span>
        </button>
        {name && (
          <button type="button" className="min-h-12 min-w-12 cursor-pointer underline" onClick={onSignOut}>
            {messages.signOut}
          </button>
        )}
      </div>
    </header>
  );
}

function Offline() {
  const messages = useMessages();
  const online = useSyncExternalStore(
    (changed) => {
      window.addEventListener("online", changed);
      window.addEventListener("offline", changed);
      return () => {
        window.removeEventListener("online", changed);
        window.removeEventListener("offline", changed);
      };
    },
    () => navigator.onLine,
  );
  if (online) return null;
  return (
    <p
      role="status"
      className="mb-4 rounded-xl bg-stone-900 p-3 text-white dark:bg-stone-100 dark:text-stone-900"
    >
      {messages.offline}
    </p>
  );
}

function Tabs() {
  const messages = useMessages();
  const [location] = useLocation();
  const tabs = [
    ["/", messages.tabs.home, "home"],
    ["/forecast", messages.tabs.forecast, "forecast"],
    ["/market", messages.tabs.market, "market"],
    ["/money", messages.tabs.money, "money"],
    ["/history", messages.tabs.history, "history"],
  ] as const;
  return (
    <nav className="fixed inset-x-0 bottom-0 border-stone-300 border-t bg-white dark:border-stone-700 dark:bg-stone-900">
      <ul className="mx-auto flex max-w-xl">
        {tabs.map(([href, label, icon]) => (
          <li key={href} className="flex-1">
            <Link
              href={href}
              aria-current={location === href ? "page" : undefined}
              className={`flex min-h-14 flex-col items-center justify-center py-1 text-xs ${location === href ? "font-bold text-leaf-700 underline dark:text-leaf-300" : ""}`}
            >
              <Icon name={icon} />
              <span>{label}</span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
