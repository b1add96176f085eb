import { useState } from "react";
import { Card } from "../../components/basics";
import { Choice } from "../../components/Choice";
import { best, type Day, type HourKind, hoursOf } from "../../domain/hours";
import { formatTime } from "../../domain/time";
import { useTexts } from "../../i18n";
import type { Schemas } from "../../lib/api";
import { hoursTexts } from "./texts";

const looks: Record<HourKind, { icon: string; colour: string }> = {
  spare: { icon: "▲", colour: "bg-leaf-700 text-white" },
  even: { icon: "■", colour: "bg-stone-200 text-stone-900 dark:bg-stone-800 dark:text-stone-100" },
  need: { icon: "▼", colour: "bg-sky-700 text-white" },
};

/** Each hour by colour, sign and word, and the two stretches that are worth knowing. */
export function Hours({ points }: { points: Schemas["ForecastPoint"][] }) {
  const texts = useTexts(hoursTexts);
  const [day, setDay] = useState<Day>("today");
  const hours = hoursOf(points, day);
  const sell = best(hours, "spare");
  const buy = best(hours, "need");
  return (
    <Card title={texts.hours}>
      <Choice
        name="forecast-day"
        legend={texts.day}
        options={[
          ["today", texts.days.today],
          ["tomorrow", texts.days.tomorrow],
        ]}
        value={day}
        onChange={setDay}
      />
      {sell && (
        <p data-testid="best-sell">
          {texts.bestSell(formatTime(sell.from), formatTime(sell.to), sell.energy_wh)}
        </p>
      )}
      {buy && (
        <p data-testid="best-buy">{texts.bestBuy(formatTime(buy.from), formatTime(buy.to), buy.energy_wh)}</p>
      )}
      {!sell && !buy && <p>{hours.length === 0 ? texts.over : texts.nothingToSay}</p>}
      <ol className="mt-3 grid grid-cols-4 gap-1 text-center sm:grid-cols-6" data-testid="hours">
        {hours.map((hour) => (
          <li key={hour.start} className={`rounded-lg py-1 ${looks[hour.kind].colour}`}>
            <span className="block text-sm">{formatTime(hour.start)}</span>
            <span className="block font-semibold text-sm">
              <span aria-hidden="true">{looks[hour.kind].icon} </span>
              {texts.kinds[hour.kind]}
            </span>
          </li>
        ))}
      </ol>
    </Card>
  );
}
