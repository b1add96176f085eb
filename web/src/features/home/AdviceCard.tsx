import { Link } from "wouter";
import { Card } from "../../components/basics";
import { formatMoney } from "../../domain/money";
import { formatTime } from "../../domain/time";
import { useLanguage, useMessages } from "../../i18n";
import type { Advice } from "../../lib/api";

/** One sentence, what following it should bring and how sure that is. Never acts on its own. */
export function AdviceCard({ advice }: { advice: Advice }) {
  const messages = useMessages();
  const { language } = useLanguage();
  const href =
    advice.action === "sell"
      ? `/market?sell=${advice.energy_wh}&price=${advice.price_cents_per_kwh ?? ""}`
      : advice.action === "buy"
        ? `/market?buy=${advice.energy_wh}`
        : null;
  return (
    <Card title={messages.home.advice}>
      <p data-testid="advice">{language === "sw" ? advice.sentence_sw : advice.sentence_en}</p>
      <p className="mt-1 text-sm text-stone-600 dark:text-stone-400">
        {advice.gain_cents > 0 && (
          <span className="font-semibold text-leaf-700 dark:text-leaf-300">
            +{formatMoney(advice.gain_cents)}
            {" · "}
          </span>
        )}
        <span data-testid="confidence">{messages.home.confidence[advice.confidence]}</span>
        {" · "}
        {messages.home.until(formatTime(advice.until))}
      </p>
      {href && (
        <Link href={href} className="inline-block min-h-12 py-3 font-semibold underline">
          {advice.action === "sell" ? messages.home.goSell : messages.home.goBuy}
        </Link>
      )}
    </Card>
  );
}
