import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { Button, Card, Field, Line } from "../../components/basics";
import { Loaded, Problem, ServerButton } from "../../components/states";
import { formatMoney, parseShillings } from "../../domain/money";
import { formatMoment } from "../../domain/time";
import { useMessages } from "../../i18n";
import { api, asked, newIntentKey } from "../../lib/api";
import { useHidden } from "../../lib/choices";
import * as questions from "../../lib/questions";
import { ShortfallCard } from "../shortfall/ShortfallCard";

/** The balance, and sending it to one's own M-Pesa. */
export function MoneyScreen() {
  const messages = useMessages();
  const home = useQuery(questions.home);
  const { hidden, toggle } = useHidden();
  const payouts = useQuery({ queryKey: ["payouts"], queryFn: () => asked(api.GET("/api/v1/me/payouts")) });
  return (
    <div className="space-y-4">
      <h1 className="font-bold text-2xl">{messages.money.title}</h1>
      <Loaded query={home}>
        {(data) => (
          <Card>
            <dl>
              <Line term={messages.money.available}>
                <span className="text-2xl" data-testid="available">
                  {hidden === "yes" ? "•••••" : formatMoney(data.available_cents)}
                </span>
              </Line>
              {data.balance_cents !== data.available_cents && (
                <Line term={messages.money.held}>
                  {hidden === "yes" ? "•••••" : formatMoney(data.balance_cents - data.available_cents)}
                </Line>
              )}
            </dl>
            <button type="button" onClick={toggle} className="min-h-12 cursor-pointer underline">
              {hidden === "yes" ? messages.home.show : messages.home.hide}
            </button>
            <Withdraw />
          </Card>
        )}
      </Loaded>
      <ShortfallCard />
      <Card title={messages.money.payouts}>
        <Loaded query={payouts}>
          {(list) =>
            list.length === 0 ? (
              <p>{messages.money.none}</p>
            ) : (
              <ul className="divide-y divide-stone-200 dark:divide-stone-800" data-testid="payouts">
                {list.map((payout) => (
                  <li key={payout.id} className="flex justify-between gap-4 py-2">
                    <span>
                      <span className="block">{messages.money.states[payout.state]}</span>
                      <span className="text-sm text-stone-600 dark:text-stone-400">
                        {formatMoment(payout.created_at)} {payout.receipt ?? ""}
                      </span>
                    </span>
                    <span className="font-semibold">{formatMoney(payout.sent_cents)}</span>
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

function Withdraw() {
  const messages = useMessages();
  const client = useQueryClient();
  const me = useQuery(questions.me);
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);
  const intent = useRef(newIntentKey());
  const quote = useMutation({
    mutationFn: (amount_cents: number) =>
      asked(api.POST("/api/v1/me/payouts/quote", { body: { amount_cents } })),
  });
  const payout = useMutation({
    mutationFn: (amount_cents: number) =>
      asked(
        api.POST("/api/v1/me/payouts", {
          params: { header: { "Idempotency-Key": intent.current } },
          body: { amount_cents },
        }),
      ),
    onSuccess: () => {
      intent.current = newIntentKey();
      setText("");
      quote.reset();
      for (const key of ["payouts", "home", "movements"]) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const look = (event: FormEvent) => {
    event.preventDefault();
    const amount = parseShillings(text);
    setWrong(!amount);
    if (amount) quote.mutate(amount);
  };
  const change = () => {
    intent.current = newIntentKey();
    quote.reset();
    payout.reset();
  };
  return (
    <form onSubmit={look} className="mt-3 space-y-3">
      <h2 className="font-semibold">{messages.money.withdraw}</h2>
      {me.data?.msisdn_masked && <p>{messages.money.to(me.data.msisdn_masked)}</p>}
      <Field
        id="withdraw-amount"
        label={messages.money.amount}
        inputMode="decimal"
        value={text}
        error={wrong ? messages.money.wrong : null}
        onChange={(event) => {
          setText(event.target.value);
          change();
        }}
      />
      {!quote.data && (
        <ServerButton type="submit" disabled={quote.isPending}>
          {messages.money.look}
        </ServerButton>
      )}
      {quote.isError && <Problem error={quote.error} />}
      {quote.data && (
        <div data-testid="payout-quote">
          <dl>
            <Line term={messages.money.fee}>{formatMoney(quote.data.charge_cents)}</Line>
            <Line term={messages.money.net}>{formatMoney(quote.data.sent_cents)}</Line>
          </dl>
          <div className="mt-2 flex gap-2">
            <ServerButton disabled={payout.isPending} onClick={() => payout.mutate(quote.data.amount_cents)}>
              {messages.money.confirm(quote.data.sent_cents)}
            </ServerButton>
            <Button look="quiet" onClick={change}>
              {messages.market.back}
            </Button>
          </div>
        </div>
      )}
      {payout.isError && <Problem error={payout.error} />}
    </form>
  );
}
