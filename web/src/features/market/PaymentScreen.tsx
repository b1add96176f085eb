import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { Button, Card, Line } from "../../components/basics";
import { Loaded } from "../../components/states";
import { formatEnergy } from "../../domain/energy";
import { formatMoney } from "../../domain/money";
import { isFinal, standing, steps, stepsDone } from "../../domain/payment";
import { useMessages, useTexts } from "../../i18n";
import { api, asked } from "../../lib/api";
import * as questions from "../../lib/questions";
import { useReach } from "../../lib/reach";
import { payTexts } from "./pay-texts";
import { WholeShillings } from "./WholeShillings";

/** One order's payment, read again by its number: a reload or a dead stream loses nothing. */
export function PaymentScreen({ id }: { id: number }) {
  const messages = useMessages();
  const texts = useTexts(payTexts);
  const config = useQuery(questions.config);
  const isCut = useReach() === "offline";
  const order = useQuery({
    queryKey: ["order", id],
    queryFn: () => asked(api.GET("/api/v1/me/orders/{id}", { params: { path: { id } } })),
    refetchInterval: (query) => (query.state.data && isFinal(query.state.data.state) ? false : 2_000),
  });
  return (
    <Card>
      <h1 className="font-bold text-2xl">{texts.title}</h1>
      <Loaded query={order} size="h-96">
        {(data) => {
          const done = stepsDone(data.state);
          const open = !isFinal(data.state);
          const unknown = data.payment?.state === "unknown";
          return (
            <>
              <p
                role="status"
                className="my-3 font-semibold text-lg"
                data-testid="standing"
                data-state={data.state}
              >
                {open && isCut
                  ? texts.unreachable
                  : unknown
                    ? texts.unknown
                    : texts.standing[standing(data.state)]}
              </p>
              {data.pay_with === "mpesa" && (
                <ol className="space-y-1">
                  {steps.map((step, index) => (
                    <li key={step} className={index < done ? "" : "text-stone-500 dark:text-stone-400"}>
                      <span aria-hidden="true">{index < done ? "✓" : "○"} </span>
                      {texts.steps[step]}
                    </li>
                  ))}
                </ol>
              )}
              <dl className="mt-3">
                <Line term={messages.market.get}>{formatEnergy(data.energy_wh)}</Line>
                <Line term={messages.market.due}>{formatMoney(data.due_cents)}</Line>
                {data.receipt && <Line term={texts.receipt}>{data.receipt}</Line>}
                {data.final_signature && (
                  <div className="py-1">
                    <dt className="text-stone-600 dark:text-stone-400">{texts.signature}</dt>
                    <dd className="break-all font-mono text-sm" data-testid="signature">
                      {data.final_signature}
                    </dd>
                  </div>
                )}
              </dl>
              {data.pay_with === "mpesa" && (
                <WholeShillings asked={data.collect_cents} due={data.due_cents} />
              )}
              {data.state === "released" && data.pay_with === "mpesa" && <p>{texts.late}</p>}
              {config.data?.phones_url && !isFinal(data.state) && (
                <p>
                  <a
                    href={config.data.phones_url}
                    target="_blank"
                    rel="noopener noreferrer"
                    className="inline-block min-h-12 py-3 underline"
                  >
                    {texts.phones}
                  </a>
                </p>
              )}
              {open && (
                <Button look="quiet" onClick={() => void order.refetch()}>
                  {texts.check}
                </Button>
              )}
              <Link href="/market" className="block min-h-12 py-3 underline">
                {texts.another}
              </Link>
            </>
          );
        }}
      </Loaded>
    </Card>
  );
}
