import type { ReactNode } from "react";
import { formatEnergy } from "../../domain/energy";
import { groupBy } from "../../domain/group";
import { formatMoney } from "../../domain/money";
import { formatDate, formatTime } from "../../domain/time";
import { useMessages } from "../../i18n";
import type { Movement } from "../../lib/api";

const icons: Record<Movement["kind"], string> = {
  bought: "↓",
  sold: "↑",
  minted: "☀",
  burned: "⚡",
  payout: "→",
  credit: "+",
  reversal: "↺",
};

/** Movements by day; `proof` leads to each one's, beside its receipt and the chain's signature. */
export function MovementList({
  movements,
  empty,
  proof,
}: {
  movements: Movement[];
  empty: string;
  proof?: (movement: Movement) => ReactNode;
}) {
  const messages = useMessages();
  if (movements.length === 0) return <p>{empty}</p>;
  const days = groupBy(movements, (movement) => formatDate(movement.at));
  return (
    <>
      {[...days].map(([day, list]) => (
        <section key={day}>
          <h3 className="mt-2 font-semibold text-sm text-stone-600 dark:text-stone-400">{day}</h3>
          <ul className="divide-y divide-stone-200 dark:divide-stone-800">
            {list.map((movement) => (
              <li key={movement.id} className="flex flex-wrap items-start gap-x-3 py-2">
                <span aria-hidden="true" className="w-5 text-center">
                  {icons[movement.kind]}
                </span>
                <div className="min-w-0 flex-1">
                  <p>{messages.history.kinds[movement.kind]}</p>
                  <p className="text-sm text-stone-600 dark:text-stone-400">
                    {formatTime(movement.at)} · {messages.history.states[movement.state] ?? movement.state}
                  </p>
                </div>
                <div className="whitespace-nowrap text-right">
                  {movement.amount_cents != null && (
                    <p className="font-semibold">{formatMoney(movement.amount_cents)}</p>
                  )}
                  {movement.energy_wh != null && (
                    <p className="text-sm">{formatEnergy(movement.energy_wh)}</p>
                  )}
                </div>
                {proof && (
                  <div className="w-full min-w-0 pl-8">
                    {movement.receipt && (
                      <p className="text-sm">
                        {messages.history.receipt} {movement.receipt}
                      </p>
                    )}
                    {movement.signature && (
                      <p className="truncate text-sm" title={movement.signature} data-testid="signature">
                        {messages.history.chain} <span className="font-mono">{movement.signature}</span>
                      </p>
                    )}
                    {proof(movement)}
                  </div>
                )}
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}
