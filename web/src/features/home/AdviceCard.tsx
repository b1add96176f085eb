import { Link } from "wouter";
import { Card } from "../../components/basics";
import { formatMoney } from "../../domain/money";
import { useMessages } from "../../i18n";
import type { Advice } from "../../lib/api";

/** One sentence and what following it should bring. Never acts on its own. */
export function AdviceCard({ advice }: { advice: Advice }) {
  const messages = useMessages();
  const href =
    advice.action === "sell"
      ? `/market?sell=${advice.energy_wh ?? ""}&price=${advice.price_cents_per_kwh ?? ""}`
      : advice.action === "buy"
        ? `/market?buy=${advice.energy_wh ?? ""}`
        : null;
  return (
    <Card title={messages.home.advice}>
      <p data-testid="advice">{advice.sentence}</p>
      {advice.gain_cents > 0 && <p className="font-semibold">+{formatMoney(advice.gain_cents)}</p>}
      {href && (
        <Link href={href} className="inline-block min-h-12 py-3 font-semibold underline">
          {messages.tabs.market}
        </Link>
      )}
    </Card>
  );
}
