import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { Loaded } from "../../components/states";
import { useMessages } from "../../i18n";
import { api, asked } from "../../lib/api";
import { RulesForm } from "./RulesForm";

/** What the market does for the household without a phone in hand. */
export function RulesScreen() {
  const messages = useMessages();
  const rules = useQuery({ queryKey: ["rules"], queryFn: () => asked(api.GET("/api/v1/me/rules")) });
  return (
    <div className="space-y-4">
      <h1 className="font-bold text-2xl">{messages.rules.title}</h1>
      <p>{messages.rules.why}</p>
      <Loaded query={rules} size="h-96">
        {(stored) => <RulesForm stored={stored} />}
      </Loaded>
      <Link href="/market" className="inline-block min-h-12 py-3 underline">
        {messages.rules.back}
      </Link>
    </div>
  );
}
