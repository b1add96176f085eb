import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Link } from "wouter";
import { Button, Card, Field } from "../../components/basics";
import { Loaded, Problem } from "../../components/states";
import { formatMoment } from "../../domain/time";
import { useTexts } from "../../i18n";
import { api, asked, newIntentKey } from "../../lib/api";
import { handsetTexts } from "./texts";

/** A feature phone on a page, in a demonstration: the same menus as a real one dials. */
export function HandsetScreen() {
  const texts = useTexts(handsetTexts);
  const households = useQuery({
    queryKey: ["demo-households"],
    queryFn: () => asked(api.GET("/api/v1/demo/households")),
  });
  const [chosen, choose] = useState<number | null>(null);
  return (
    <div className="space-y-4">
      <h1 className="font-bold text-2xl">{texts.title}</h1>
      <p>{texts.note}</p>
      <Loaded query={households} size="h-96" className="space-y-4">
        {(list) => {
          const homes = list.filter((household) => household.kind === "home");
          const current = chosen ?? homes[0]?.id;
          return (
            <>
              <label className="block font-medium text-sm">
                {texts.whose}
                <select
                  className="mt-1 min-h-12 w-full rounded-xl border border-stone-500 bg-transparent px-3 text-lg"
                  value={current}
                  onChange={(event) => choose(Number(event.target.value))}
                >
                  {homes.map((household) => (
                    <option key={household.id} value={household.id}>
                      {household.name}
                    </option>
                  ))}
                </select>
              </label>
              {current !== undefined && <Handset key={current} household={current} />}
            </>
          );
        }}
      </Loaded>
      <Link href="/" className="inline-block min-h-12 py-3 underline">
        {texts.back}
      </Link>
    </div>
  );
}

interface Call {
  session: string;
  typed: string;
  text: string;
  asks: boolean;
}

function Handset({ household }: { household: number }) {
  const texts = useTexts(handsetTexts);
  const client = useQueryClient();
  const [call, setCall] = useState<Call | null>(null);
  const [answer, setAnswer] = useState("");
  const path = { household };
  const phone = useQuery({
    queryKey: ["handset", household],
    queryFn: () => asked(api.GET("/api/v1/demo/handsets/{household}", { params: { path } })),
    refetchInterval: 3_000,
  });
  const dial = useMutation({
    mutationFn: async ({ session, typed }: { session: string; typed: string }) => {
      const body = { session_id: session, text: typed };
      const screen = await asked(
        api.POST("/api/v1/demo/handsets/{household}/ussd", { params: { path }, body }),
      );
      return { session, typed, ...screen };
    },
    onSuccess: (screen) => {
      setCall(screen);
      setAnswer("");
      void client.invalidateQueries({ queryKey: ["handset", household] });
    },
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!call || answer === "") return;
    dial.mutate({ session: call.session, typed: call.typed === "" ? answer : `${call.typed}*${answer}` });
  };
  return (
    <Loaded query={phone} size="h-64" className="space-y-4">
      {({ service_code, number_masked, messages: inbox }) => (
        <>
          <Card title={number_masked}>
            {call && (
              <p
                data-testid="ussd"
                role="status"
                className="mb-3 whitespace-pre-line rounded-xl bg-leaf-50 p-3 font-mono text-stone-900"
              >
                {call.text}
              </p>
            )}
            {dial.isError && <Problem error={dial.error} />}
            {call?.asks ? (
              <form onSubmit={send} className="space-y-3">
                <Field
                  id="ussd-answer"
                  label={texts.answer}
                  inputMode="decimal"
                  autoComplete="off"
                  value={answer}
                  onChange={(event) => setAnswer(event.target.value)}
                />
                <div className="flex gap-2">
                  <Button type="submit" disabled={dial.isPending || answer === ""}>
                    {texts.send}
                  </Button>
                  <Button look="quiet" onClick={() => setCall(null)}>
                    {texts.hangUp}
                  </Button>
                </div>
              </form>
            ) : (
              <Button
                disabled={dial.isPending}
                onClick={() => dial.mutate({ session: newIntentKey(), typed: "" })}
              >
                {texts.dial(service_code)}
              </Button>
            )}
          </Card>
          <Card title={texts.inbox}>
            {inbox.length === 0 && <p>{texts.empty}</p>}
            <ul className="space-y-2" data-testid="inbox">
              {inbox.map((message) => (
                <li key={message.number} className="rounded-xl bg-stone-100 p-3 dark:bg-stone-800">
                  <p>{message.text}</p>
                  <p className="text-sm text-stone-600 dark:text-stone-400">{formatMoment(message.at)}</p>
                </li>
              ))}
            </ul>
          </Card>
        </>
      )}
    </Loaded>
  );
}
