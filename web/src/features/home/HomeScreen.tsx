import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Link } from "wouter";
import { Card, Line } from "../../components/basics";
import { Guard, Loaded, Waiting } from "../../components/states";
import { formatEnergy } from "../../domain/energy";
import { formatMoney } from "../../domain/money";
import { formatMoment, formatTime, isNight, isSilent, minutesSince } from "../../domain/time";
import { useMessages } from "../../i18n";
import type { Home } from "../../lib/api";
import { useHidden, useSaver } from "../../lib/choices";
import * as questions from "../../lib/questions";
import { MovementList } from "../history/MovementList";
import { ComingPrice } from "../market/ComingPrice";
import { AdviceCard } from "./AdviceCard";
import { FlowBar } from "./FlowBar";

// Few homes ever need it, and those that do need it for a day.
const FirstSteps = lazy(() => import("./FirstSteps"));

/** Is the sun earning, what do I have, what should I do. */
export function HomeScreen() {
  const messages = useMessages();
  const saver = useSaver();
  const home = useQuery({ ...questions.home, refetchInterval: saver === "yes" ? 60_000 : 30_000 });
  return (
    <Loaded query={home} size="h-dvh" className="space-y-4">
      {(data) => (
        <>
          <Guard>
            <Now home={data} />
          </Guard>
          <Guard>
            <Holdings home={data} />
          </Guard>
          <Guard>{data.advice && <AdviceCard advice={data.advice} />}</Guard>
          <Guard>
            <Card title={messages.home.last}>
              <MovementList movements={data.movements} empty={messages.home.none} />
            </Card>
          </Guard>
          <Guard>
            <ComingPrice />
          </Guard>
        </>
      )}
    </Loaded>
  );
}

function Now({ home }: { home: Home }) {
  const messages = useMessages();
  const slot_s = useQuery(questions.config).data?.slot_length_s;
  const silent =
    home.power_at && isSilent(home.power_at, home.now, slot_s)
      ? messages.home.silent(formatMoment(home.power_at))
      : null;
  // Less than 10 W is idle noise, not a flow.
  const idle = Math.abs(home.power_w) < 10;
  const sentence = idle
    ? messages.home.quiet
    : home.power_w > 0
      ? messages.home.selling(home.power_w)
      : messages.home.buying(home.power_w);
  return (
    <Card>
      <h1 className={`font-bold text-2xl ${silent ? "grayscale" : ""}`} data-testid="power">
        {silent ?? (home.power_at ? sentence : messages.home.noMeter)}
      </h1>
      {home.power_at && (
        <p className="text-sm text-stone-600 dark:text-stone-400">
          {messages.age(minutesSince(home.power_at, home.now))}
        </p>
      )}
      {home.power_at && !silent && (
        // The line keeps its place by day, so that nightfall moves nothing.
        <p className="min-h-6">{home.power_w < 10 && isNight(home.now) && messages.home.night}</p>
      )}
      {home.power_at ? (
        <div className={silent ? "grayscale" : ""} data-old={silent ? true : undefined}>
          <h2 className="mt-4 mb-1 font-semibold">{messages.home.today}</h2>
          <FlowBar
            generation={home.today.generation_wh}
            exported={home.today.export_wh}
            imported={home.today.import_wh}
          />
        </div>
      ) : (
        <Suspense fallback={<Waiting size="h-44" />}>
          <FirstSteps />
        </Suspense>
      )}
    </Card>
  );
}

function Holdings({ home }: { home: Home }) {
  const messages = useMessages();
  const { hidden, toggle } = useHidden();
  return (
    <Card>
      <dl>
        <Line term={messages.home.tokens}>
          <span className="whitespace-nowrap text-2xl" data-testid="vault">
            {formatEnergy(home.vault_wh)}
          </span>
        </Line>
        <Line term={messages.home.balance}>
          <span className="whitespace-nowrap text-2xl" data-testid="balance">
            {hidden === "yes" ? "•••••" : formatMoney(home.balance_cents)}
          </span>
        </Line>
      </dl>
      <button type="button" onClick={toggle} className="min-h-12 cursor-pointer underline">
        {hidden === "yes" ? messages.home.show : messages.home.hide}
      </button>
      {home.offered_wh > 0 && <p>{messages.home.offered(home.offered_wh)}</p>}
      {home.shortfall_wh > 0 && (
        <div className="mt-2 rounded-xl bg-sun-400 px-3 pt-3 text-stone-900">
          <p>{messages.home.shortfall(home.shortfall_wh)}</p>
          <Link
            href={`/market?buy=${home.shortfall_wh}`}
            className="inline-block min-h-12 py-3 font-semibold underline"
          >
            {messages.home.buyNow}
          </Link>
        </div>
      )}
      {home.attested_through && (
        <p className="mt-2 text-sm text-stone-600 dark:text-stone-400">
          {messages.home.attested(formatTime(home.attested_through))}
        </p>
      )}
    </Card>
  );
}
