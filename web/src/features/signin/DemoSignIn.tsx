import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { Button } from "../../components/basics";
import { Loaded, Problem } from "../../components/states";
import { useTexts } from "../../i18n";
import { api, asked } from "../../lib/api";
import { demoTexts } from "./demo-texts";

/** Pick a household: only while the server runs a demonstration. */
export default function DemoSignIn({
  onSignedIn,
  onOperator,
}: {
  onSignedIn: () => void;
  onOperator: () => void;
}) {
  const texts = useTexts(demoTexts);
  const households = useQuery({
    queryKey: ["demo-households"],
    queryFn: () => asked(api.GET("/api/v1/demo/households")),
  });
  const signIn = useMutation({
    mutationFn: (body: { household_id: number } | { operator: true }) =>
      asked(api.POST("/api/v1/demo/session", { body })),
    onSuccess: (_, body) => ("operator" in body ? onOperator() : onSignedIn()),
  });
  return (
    <div className="space-y-4">
      <p className="rounded-xl bg-sun-400 p-3 font-medium text-stone-900">{texts.banner}</p>
      <h1 className="font-bold text-2xl">{texts.title}</h1>
      {signIn.isError && <Problem error={signIn.error} />}
      <Loaded query={households} size="h-dvh">
        {(list) => (
          <ul className="grid gap-2 sm:grid-cols-2">
            {list
              .filter((household) => household.kind === "home")
              .map((household) => (
                <li key={household.id}>
                  <button
                    type="button"
                    disabled={signIn.isPending}
                    onClick={() => signIn.mutate({ household_id: household.id })}
                    className="min-h-14 w-full cursor-pointer rounded-xl bg-white p-3 text-left shadow-sm hover:bg-leaf-50 dark:bg-stone-900 dark:hover:bg-stone-800"
                  >
                    <span className="block font-semibold">{household.name}</span>
                    <span className="text-sm text-stone-600 dark:text-stone-400">
                      {texts.panels(household.pv_rated_w)}
                    </span>
                  </button>
                </li>
              ))}
          </ul>
        )}
      </Loaded>
      <div className="flex flex-wrap items-center gap-4">
        <Button look="quiet" onClick={() => signIn.mutate({ operator: true })}>
          {texts.operator}
        </Button>
        <Link href="/handset" className="min-h-12 py-3 underline">
          {texts.handset}
        </Link>
      </div>
    </div>
  );
}
