import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { Button, Card, Line } from "../../components/basics";
import { Loaded } from "../../components/states";
import { formatEnergy } from "../../domain/energy";
import { formatMoney } from "../../domain/money";
import { formatMoment } from "../../domain/time";
import { useMessages, useTexts } from "../../i18n";
import { api, asked, type Movement } from "../../lib/api";
import { useHidden } from "../../lib/choices";
import * as start from "../../lib/questions";
import * as questions from "./questions";
import { historyTexts } from "./texts";

/** One movement with all that shows that it happened. Opened once, it is there without a network. */
export function ProofScreen({ id }: { id: string }) {
  const texts = useTexts(historyTexts);
  const movements = useQuery(questions.movements);
  return (
    <div className="space-y-4">
      <h1 className="font-bold text-2xl">{texts.title}</h1>
      <Loaded query={movements} size="h-96" className="space-y-4">
        {(list) => {
          const movement = list.find((each) => each.id === id);
          return movement ? <Proof movement={movement} /> : <p>{texts.unknown}</p>;
        }}
      </Loaded>
      <Link href="/history" className="inline-block min-h-12 py-3 underline">
        {texts.back}
      </Link>
    </div>
  );
}

function Proof({ movement }: { movement: Movement }) {
  const messages = useMessages();
  const texts = useTexts(historyTexts);
  const { hidden } = useHidden();
  return (
    <>
      <Card>
        <dl>
          <Line term={texts.what}>{messages.history.kinds[movement.kind]}</Line>
          <Line term={texts.when}>{formatMoment(movement.at)}</Line>
          {movement.energy_wh != null && <Line term={texts.energy}>{formatEnergy(movement.energy_wh)}</Line>}
          {movement.amount_cents != null && (
            <Line term={texts.amount}>{hidden === "yes" ? "•••••" : formatMoney(movement.amount_cents)}</Line>
          )}
          <Line term={texts.state}>{messages.history.states[movement.state] ?? movement.state}</Line>
          {movement.receipt && <Line term={texts.receipt}>{movement.receipt}</Line>}
        </dl>
      </Card>
      {movement.order_id != null ? (
        <OrderProof id={movement.order_id} />
      ) : (
        <ChainCard
          // A sale, and what the meter counted, end on the chain; a movement of money alone does not.
          onChain={["sold", "minted", "burned"].includes(movement.kind) ? "due" : "never"}
          signatures={[[texts.record, movement.signature ?? null]]}
        />
      )}
    </>
  );
}

function OrderProof({ id }: { id: number }) {
  const texts = useTexts(historyTexts);
  const order = useQuery({
    queryKey: ["order", id],
    queryFn: () => asked(api.GET("/api/v1/me/orders/{id}", { params: { path: { id } } })),
  });
  return (
    <Loaded query={order} className="space-y-4">
      {({ fills, placed_signature, final_signature }) => (
        <>
          <Card title={texts.neighbours}>
            <dl>
              {fills.map((fill) => (
                <Line key={fill.offer_id} term={fill.seller_alias}>
                  {formatEnergy(fill.energy_wh)}
                  <span className="block text-sm">{texts.price(formatMoney(fill.price_cents_per_kwh))}</span>
                </Line>
              ))}
            </dl>
          </Card>
          <ChainCard
            onChain="due"
            signatures={[
              [texts.placed, placed_signature ?? null],
              [texts.final, final_signature ?? null],
            ]}
          />
        </>
      )}
    </Loaded>
  );
}

function ChainCard({
  onChain,
  signatures,
}: {
  onChain: "due" | "never";
  signatures: [name: string, signature: string | null][];
}) {
  const texts = useTexts(historyTexts);
  const messages = useMessages();
  const cluster = useQuery(start.config).data?.cluster;
  // Its end is what counts: an order that is only placed may still be given up.
  const isThere = signatures.at(-1)?.[1] != null;
  return (
    <Card title={messages.history.chain}>
      <p data-testid="on-chain">
        {onChain === "never" ? texts.never : isThere ? texts.onChain : texts.notYet}
      </p>
      {signatures.map(
        ([name, signature]) =>
          signature !== null && (
            <Signature
              key={name}
              name={name}
              signature={signature}
              explorer={cluster?.explorer_url?.replace("{signature}", encodeURIComponent(signature)) ?? null}
            />
          ),
      )}
      {onChain === "due" && cluster && (
        <p className="mt-2 text-sm text-stone-600 dark:text-stone-400">{texts.cluster(cluster.name)}</p>
      )}
    </Card>
  );
}

function Signature({
  name,
  signature,
  explorer,
}: {
  name: string;
  signature: string;
  explorer: string | null;
}) {
  const texts = useTexts(historyTexts);
  const [copied, setCopied] = useState("");
  const copy = () =>
    void navigator.clipboard?.writeText(signature).then(
      () => setCopied(texts.copied),
      () => setCopied(""),
    );
  return (
    <div className="mt-3">
      <p className="font-medium text-sm">{name}</p>
      <p className="break-all font-mono text-sm" data-testid="signature">
        {signature}
      </p>
      <div className="mt-1 flex flex-wrap items-center gap-2">
        <Button look="quiet" onClick={copy}>
          {texts.copy}
        </Button>
        <span role="status">{copied}</span>
      </div>
      {explorer && (
        <a
          href={explorer}
          target="_blank"
          rel="noopener noreferrer"
          className="inline-flex min-h-12 items-center underline"
        >
          {texts.explorer}
        </a>
      )}
    </div>
  );
}
