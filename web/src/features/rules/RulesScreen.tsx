import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { Loaded } from "../../components/states";
import { useTexts } from "../../i18n";
import { api, asked } from "../../lib/api";
import { RulesForm } from "./RulesForm";
import { rulesTexts } from "./texts";

/** What the market does for the household without a phone in hand. */
export function RulesScreen() {
  const texts = useTexts(rulesTexts);
  const rules = useQuery({ queryKey: ["rules"], queryFn: () => asked(api.GET("/api/v1/me/rules")) });
  return (
    <div className="space-y-4">
      <h1 className="font-bold text-2xl">{texts.title}</h1>
      <p>{texts.why}</p>
      <Loaded query={rules} size="h-96">
        {(stored) => <RulesForm stored={stored} />}
      </Loaded>
      <Link href="/market" className="inline-block min-h-12 py-3 underline">
        {texts.back}
      </Link>
    </div>
  );
}
