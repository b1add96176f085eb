import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "wouter";
import { Card } from "../../components/basics";
import { Loaded } from "../../components/states";
import { formatEnergy } from "../../domain/energy";
import { formatMoney } from "../../domain/money";
import { useMessages } from "../../i18n";
import { api, asked } from "../../lib/api";
import { BuyForm } from "./BuyForm";
import { ComingPrice } from "./ComingPrice";
import { MyOffers } from "./MyOffers";
import { SellForm } from "./SellForm";

/** What neighbours sell, and buying and selling. */
export function MarketScreen() {
  const messages = useMessages();
  const wanted = new URLSearchParams(useSearch());
  const offers = useQuery({
    queryKey: ["offers"],
    queryFn: () => asked(api.GET("/api/v1/offers", { params: { query: { limit: 50 } } })),
    refetchInterval: 30_000,
  });
  return (
    <div className="space-y-4">
      <h1 className="font-bold text-2xl">{messages.tabs.market}</h1>
      <ComingPrice />
      <Link href="/rules" className="flex min-h-12 items-center font-semibold underline">
        {messages.market.rules}
      </Link>
      <Card title={messages.market.buyTitle}>
        <BuyForm initialWh={Number(wanted.get("buy")) || null} />
      </Card>
      <Card title={messages.market.sellTitle}>
        <SellForm
          initialWh={Number(wanted.get("sell")) || null}
          initialPrice={Number(wanted.get("price")) || null}
        />
        <MyOffers />
      </Card>
      <Card title={messages.market.title}>
        <Loaded query={offers}>
          {(list) =>
            list.length === 0 ? (
              <p>{messages.market.none}</p>
            ) : (
              <ul className="divide-y divide-stone-200 dark:divide-stone-800" data-testid="offers">
                {list.map((offer) => (
                  <li key={offer.id} className="flex justify-between gap-4 py-2">
                    <span>
                      <span className="block font-semibold">
                        {offer.seller_alias}
                        {offer.mine && ` (${messages.market.mine})`}
                      </span>
                      <span className="text-sm text-stone-600 dark:text-stone-400">
                        {messages.market.open} {formatEnergy(offer.open_wh)}
                      </span>
                    </span>
                    <span className="text-right">
                      <span className="block font-semibold">{formatMoney(offer.all_in_cents_per_kwh)}</span>
                      <span className="text-sm text-stone-600 dark:text-stone-400">
                        {messages.market.all}
                      </span>
                    </span>
                  </li>
                ))}
              </ul>
            )
          }
        </Loaded>
      </Card>
    </div>
  );
}
