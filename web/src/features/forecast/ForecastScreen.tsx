import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Card } from "../../components/basics";
import { Guard, Loaded, Waiting } from "../../components/states";
import { formatEnergy } from "../../domain/energy";
import { hourly, tomorrow } from "../../domain/forecast";
import { formatMoment, formatTime } from "../../domain/time";
import { useMessages } from "../../i18n";
import { api, asked } from "../../lib/api";
import { AdviceCard } from "../home/AdviceCard";

const BandChart = lazy(() => import("../../components/BandChart"));

/** A sentence first, then the bands, then the same numbers as a table. */
export function ForecastScreen() {
  const messages = useMessages();
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
              {data.advice && <AdviceCard advice={data.advice} />}
            </>
          );
        }}
      </Loaded>
    </div>
  );
}
