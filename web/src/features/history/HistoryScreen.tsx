import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { Card, Field } from "../../components/basics";
import { Loaded } from "../../components/states";
import { useMessages, useTexts } from "../../i18n";
import type { Movement } from "../../lib/api";
import { look, type Sort, sorts } from "./look";
import { MovementList } from "./MovementList";
import * as questions from "./questions";
import { StatementCard } from "./StatementCard";
import { historyTexts } from "./texts";

/** Everything that happened, with its proofs. */
export function HistoryScreen() {
  const messages = useMessages();
  const movements = useQuery(questions.movements);
  return (
    <div className="space-y-4">
      <Card>
        <h1 className="font-bold text-2xl">{messages.history.title}</h1>
        <Loaded query={movements} size="h-96">
          {(list) => (list.length === 0 ? <p>{messages.history.none}</p> : <Searched movements={list} />)}
        </Loaded>
      </Card>
      <Card title={messages.bill.title}>
        <Link href="/bill" className="inline-block min-h-12 py-3 font-semibold underline">
          {messages.bill.open}
        </Link>
      </Card>
      <StatementCard />
    </div>
  );
}

function Searched({ movements }: { movements: Movement[] }) {
  const texts = useTexts(historyTexts);
  const [sort, setSort] = useState<Sort>("all");
  const [typed, type] = useState("");
  return (
    <>
      <div className="mt-2 space-y-2">
        <Field
          id="history-code"
          label={texts.search}
          hint={texts.searchHint}
          autoComplete="off"
          autoCapitalize="characters"
          maxLength={20}
          value={typed}
          onChange={(event) => type(event.target.value)}
        />
        <label htmlFor="history-sort" className="block font-medium text-sm">
          {texts.show}
        </label>
        <select
          id="history-sort"
          value={sort}
          onChange={(event) => setSort(event.target.value as Sort)}
          className="min-h-12 w-full rounded-xl border border-stone-500 bg-transparent px-3 text-lg"
        >
          {sorts.map((each) => (
            <option key={each} value={each}>
              {texts.kinds[each]}
            </option>
          ))}
        </select>
      </div>
      <MovementList
        movements={look(movements, sort, typed)}
        empty={texts.nothing}
        proof={(movement) => (
          <Link
            href={`/proof/${movement.id}`}
            className="inline-flex min-h-12 items-center font-semibold text-sm underline"
          >
            {texts.open}
          </Link>
        )}
      />
    </>
  );
}
