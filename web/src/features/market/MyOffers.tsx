import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Problem, ServerButton } from "../../components/states";
import { formatEnergy } from "../../domain/energy";
import { useMessages } from "../../i18n";
import { api, asked } from "../../lib/api";

/** The household's offers that still stand, each with a way back. */
export function MyOffers() {
  const messages = useMessages();
  const client = useQueryClient();
  const offers = useQuery({ queryKey: ["my-offers"], queryFn: () => asked(api.GET("/api/v1/me/offers")) });
  const cancel = useMutation({
    mutationFn: (id: number) => asked(api.DELETE("/api/v1/me/offers/{id}", { params: { path: { id } } })),
    onSettled: () => {
      for (const key of ["offers", "my-offers", "home"]) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  if (offers.isError && !offers.data) {
    return <Problem error={offers.error} onRetry={() => void offers.refetch()} />;
  }
  const standing = offers.data?.filter((offer) => offer.state === "open" || offer.state === "posting") ?? [];
  if (standing.length === 0) return null;
  return (
    <section className="mt-4">
      <h3 className="font-semibold">{messages.market.myOffers}</h3>
      {cancel.isError && <Problem error={cancel.error} />}
      <ul className="divide-y divide-stone-200 dark:divide-stone-800">
        {standing.map((offer) => (
          <li key={offer.id} className="flex flex-wrap items-center justify-between gap-x-4 py-2">
            <span>
              {formatEnergy(offer.open_wh)} · {messages.market.price(offer.price_cents_per_kwh)}
            </span>
            <div>
              <ServerButton look="quiet" disabled={cancel.isPending} onClick={() => cancel.mutate(offer.id)}>
                {messages.market.cancel}
              </ServerButton>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
