import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { Card } from "../../components/basics";
import { Loaded } from "../../components/states";
import { useMessages } from "../../i18n";
import { api, asked } from "../../lib/api";
import { MovementList } from "./MovementList";
import { StatementCard } from "./StatementCard";

/** Everything that happened, with its proofs. */
export function HistoryScreen() {
  const messages = useMessages();
  const movements = useQuery({
    queryKey: ["movements"],
    queryFn: () => asked(api.GET("/api/v1/me/movements", { params: { query: { limit: 100 } } })),
  });
  return (
    <div className="space-y-4">
      <Card>
        <h1 className="font-bold text-2xl">{messages.history.title}</h1>
        <Loaded query={movements} size="h-96">
          {(list) => <MovementList movements={list} empty={messages.history.none} proofs />}
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
