import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Suspense, useEffect, useState } from "react";
import { Link, Redirect, Route, Switch, useLocation } from "wouter";
import { Button } from "../components/basics";
import { Icon } from "../components/icons";
import { Guard, Loaded, Waiting } from "../components/states";
import { formatTime } from "../domain/time";
import { HomeScreen } from "../features/home/HomeScreen";
import { useLanguage, useMessages } from "../i18n";
import { ApiError, type Home } from "../lib/api";
import { useSaver } from "../lib/choices";
import * as questions from "../lib/questions";
import { useReach } from "../lib/reach";
import { useSignOut } from "../lib/session";
import { follow } from "../lib/stream";
import { keepFiles } from "../lib/worker";
import {
  BillScreen,
  ForecastScreen,
  HandsetScreen,
  HistoryScreen,
  MarketScreen,
  MoneyScreen,
  PaymentScreen,
  ProofScreen,
  RulesScreen,
  SettingsScreen,
  SignIn,
} from "./screens";

/** The household's app: who is signed in, then tabs. */
export function App() {
  const client = useQueryClient();
  const me = useQuery(questions.me);
  const [location] = useLocation();
  const signOut = useSignOut();
  const isOut = me.error instanceof ApiError && (me.error.status === 401 || me.error.status === 403);
  const name = (!isOut && me.data?.name) || null;
  return (
    <div className="mx-auto flex min-h-dvh max-w-xl flex-col px-4 pb-24">
      <Header name={name} onSignOut={() => signOut.mutate()} />
      {(isOut || me.data) && <Newer />}
      <Offline />
      <main className="flex-1">
        <Guard key={location} after="restart">
          <Suspense fallback={<Waiting size="h-dvh" />}>
            {location === "/handset" ? (
              <HandsetScreen />
            ) : isOut ? (
              <SignIn
                onSignedIn={() => void client.resetQueries()}
                onOperator={() => {
                  window.location.href = "/ops";
                }}
              />
            ) : me.isError && me.data ? (
              <Screens />
            ) : signOut.isPending ? (
              <Waiting size="h-dvh" />
            ) : (
              <Loaded query={me} size="h-dvh">
                {() => <Screens />}
              </Loaded>
            )}
          </Suspense>
        </Guard>
      </main>
      {name && <Tabs />}
    </div>
  );
}

function Screens() {
  const client = useQueryClient();
  const saver = useSaver();
  // Who saves data is asked for nothing that nobody looks at: screens ask by themselves.
  useEffect(() => (saver === "yes" ? undefined : follow(client)), [client, saver]);
  return (
    <Switch>
      <Route path="/" component={HomeScreen} />
      <Route path="/forecast" component={ForecastScreen} />
      <Route path="/market" component={MarketScreen} />
      <Route path="/rules" component={RulesScreen} />
      <Route path="/pay/:id">{(params) => <PaymentScreen id={Number(params.id)} />}</Route>
      <Route path="/money" component={MoneyScreen} />
      <Route path="/history" component={HistoryScreen} />
      <Route path="/proof/*">{(params) => <ProofScreen id={params["*"]} />}</Route>
      <Route path="/bill" component={BillScreen} />
      <Route path="/settings" component={SettingsScreen} />
      <Route>
        <Redirect to="/" />
      </Route>
    </Switch>
  );
}

function Header({ name, onSignOut }: { name: string | null; onSignOut: () => void }) {
  const { language, messages, speak } = useLanguage();
  const [missing, setMissing] = useState(false);
  const other = language === "en" ? "sw" : "en";
  return (
    <>
      <header className="flex min-h-18 items-center justify-between gap-3 py-3">
        <p className="min-w-0 leading-tight">
          <span className="block font-bold text-lg">{messages.appName}</span>
          <span className="block truncate text-sm">{name ?? messages.moment}</span>
        </p>
        <div className="flex shrink-0 gap-2 text-sm">
          <button
            type="button"
            className="min-h-12 min-w-12 cursor-pointer underline"
            onClick={() =>
              void speak(other).then(
                () => setMissing(false),
                () => setMissing(true),
              )
            }
          >
            <span lang={other}>{other === "sw" ? "Kiswahili" : "English"}</span>
          </button>
          {name && (
            <Link
              href="/settings"
              aria-label={messages.settings}
              className="flex min-h-12 min-w-12 items-center justify-center"
            >
              <Icon name="settings" />
            </Link>
          )}
          {name && (
            <button type="button" className="min-h-12 min-w-12 cursor-pointer underline" onClick={onSignOut}>
              {messages.signOut}
            </button>
          )}
        </div>
      </header>
      {missing && (
        <p role="alert" className="mb-4">
          {messages.languageMissing}
        </p>
      )}
    </>
  );
}

/** A newer version is used when the person says so: nothing that is being typed is lost. */
function Newer() {
  const messages = useMessages();
  const client = useQueryClient();
  const [use, setUse] = useState<(() => void) | null>(null);
  useEffect(() => keepFiles(client, (newer) => setUse(() => newer)), [client]);
  if (!use) return null;
  return (
    <div role="status" className="mb-4 flex items-center justify-between gap-4">
      <span>{messages.newer}</span>
      <Button look="quiet" onClick={use}>
        {messages.useNewer}
      </Button>
    </div>
  );
}

function Offline() {
  const messages = useMessages();
  const reach = useReach();
  const home = useQueryClient().getQueryData<Home>(["home"]);
  if (reach === "online") return null;
  return (
    <p
      role="status"
      data-testid="offline"
      className="mb-4 rounded-xl bg-stone-900 p-3 text-white dark:bg-stone-100 dark:text-stone-900"
    >
      {home ? messages.offlineSince(formatTime(home.now)) : messages.offline}
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
    <nav className="fixed inset-x-0 bottom-0 z-10 border-stone-300 border-t bg-white dark:border-stone-700 dark:bg-stone-900">
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
