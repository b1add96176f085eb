import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { Button, Card } from "../../components/basics";
import { Guard, Loaded, Waiting } from "../../components/states";
import { formatEnergy } from "../../domain/energy";
import { hourly, tomorrow } from "../../domain/forecast";
import { formatMoment, formatTime } from "../../domain/time";
import { useMessages, useTexts } from "../../i18n";
import { api, asked, type Schemas } from "../../lib/api";
import { useSaver } from "../../lib/choices";
import { AdviceCard } from "../home/AdviceCard";
import { Hours } from "./Hours";
import { hoursTexts } from "./texts";

const BandChart = lazy(() => import("../../components/BandChart"));

/** A sentence first, then the hours, then the bands, then the same numbers as a table. */
export function ForecastScreen() {
  const messages = useMessages();
  const texts = useTexts(hoursTexts);
  const saver = useSaver();
  const [asksChart, askChart] = useState<"yes" | "no">("no");
  const forecast = useQuery({
    queryKey: ["forecast"],
    queryFn: () => asked(api.GET("/api/v1/me/forecast")),
    staleTime: 600_000,
  });
  return (
    <div className="space-y-4">
      <h1 className="font-bold text-2xl">{messages.forecast.title}</h1>
      <Loaded query={forecast} size="h-96" className="space-y-4">
        {(data) => {
          if (data.points.length === 0) return <p>{messages.forecast.none}</p>;
          const sums = tomorrow(data.points);
          return (
            <>
              <Card>
                {sums && (
                  <p className="text-lg">{messages.forecast.sentence(sums.p50, sums.p10, sums.p90)}</p>
                )}
                <p className="text-sm text-stone-600 dark:text-stone-400">
                  {messages.forecast.issued(formatMoment(data.issued_at))}
                  {data.weather?.source && ` · ${data.weather.source}`}
                </p>
                {data.weather?.missing && <p className="text-sm">{messages.forecast.noWeather}</p>}
                {saver === "yes" && asksChart === "no" ? (
                  <Button look="quiet" onClick={() => askChart("yes")}>
                    {texts.draw}
                  </Button>
                ) : (
                  <Guard after="restart">
                    <Suspense fallback={<Waiting size="h-64" />}>
                      <BandChart
                        points={data.points}
                        label={messages.forecast.chart}
                        production={messages.forecast.production}
                        consumption={messages.forecast.consumption}
                      />
                    </Suspense>
                  </Guard>
                )}
                <details>
                  <summary className="min-h-12 cursor-pointer py-3 underline">
                    {messages.forecast.table}
                  </summary>
                  <table className="w-full text-right">
                    <thead>
                      <tr>
                        <th className="text-left">{messages.forecast.hour}</th>
                        <th>{messages.forecast.production}</th>
                        <th>{messages.forecast.consumption}</th>
                      </tr>
                    </thead>
                    <tbody>
                      {hourly(data.points).map((hour) => (
                        <tr key={hour.start}>
                          <td className="text-left">{formatTime(hour.start)}</td>
                          <td>{formatEnergy(hour.production)}</td>
                          <td>{formatEnergy(hour.consumption)}</td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </details>
              </Card>
              <Guard>
                <Hours points={data.points} />
              </Guard>
              {data.advice && <AdviceCard advice={data.advice} />}
              <TrackRecord record={data.record} />
            </>
          );
        }}
      </Loaded>
    </div>
  );
}

/** How good it was: only once there are days to say so of. */
function TrackRecord({ record }: { record: Schemas["ForecastRecord"] | null | undefined }) {
  const texts = useTexts(hoursTexts);
  if (!record || record.days === 0 || record.production_inside_permille == null) return null;
  return (
    <p className="text-sm text-stone-600 dark:text-stone-400">
      {texts.record(record.days, Math.round(record.production_inside_permille / 10))}
    </p>
  );
}
