import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { Button } from "../../components/basics";
import { Loaded, Waiting } from "../../components/states";
import { useTexts } from "../../i18n";
import * as questions from "../../lib/questions";
import { waysTexts } from "./ways-texts";

// A device shows one of the two, and only while nobody is signed in.
const DemoSignIn = lazy(() => import("./DemoSignIn"));
const PhoneSignIn = lazy(() => import("./PhoneSignIn"));

/** By phone and code; in a demonstration as anybody, unless somebody wants the real way. */
export function SignIn({ onSignedIn, onOperator }: { onSignedIn: () => void; onOperator: () => void }) {
  const texts = useTexts(waysTexts);
  const config = useQuery(questions.config);
  const [way, setWay] = useState<"usual" | "phone">("usual");
  return (
    <Loaded query={config} size="h-dvh" className="space-y-4">
      {({ demo }) => (
        <Suspense fallback={<Waiting size="h-dvh" />}>
          {demo && way === "usual" ? (
            <>
              <DemoSignIn onSignedIn={onSignedIn} onOperator={onOperator} />
              <Button look="quiet" onClick={() => setWay("phone")}>
                {texts.byPhone}
              </Button>
            </>
          ) : (
            <>
              <PhoneSignIn onSignedIn={onSignedIn} />
              {demo && (
                <Button look="quiet" onClick={() => setWay("usual")}>
                  {texts.asAnybody}
                </Button>
              )}
            </>
          )}
        </Suspense>
      )}
    </Loaded>
  );
}
