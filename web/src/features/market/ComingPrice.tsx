import { useQuery } from "@tanstack/react-query";
import { formatMoney } from "../../domain/money";
import { formatMoment } from "../../domain/time";
import { useMessages } from "../../i18n";
import * as questions from "../../lib/questions";

/** What power will cost, and from when: one line, only while a change is announced. */
export function ComingPrice() {
  const messages = useMessages();
  const config = useQuery(questions.config);
  const next = config.data?.next_tariff;
  if (!next || !config.data) return null;
  return (
    <p data-testid="coming-price" className="rounded-xl bg-sun-400 px-3 py-2 text-stone-900">
      {messages.market.coming(
        formatMoment(next.from),
        formatMoney(next.tariff.retail_cents_per_kwh),
        formatMoney(config.data.tariff.retail_cents_per_kwh),
        formatMoney(next.tariff.buy_back_cents_per_kwh),
      )}
    </p>
  );
}
