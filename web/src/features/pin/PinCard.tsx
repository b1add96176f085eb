import { useState } from "react";
import { Button, Card } from "../../components/basics";
import { Choice } from "../../components/Choice";
import { useTexts } from "../../i18n";
import { NewPin } from "./NewPin";
import { pinTexts } from "./texts";

/** The PIN, set for the first time or changed, before money asks for it. */
export function PinCard() {
  const texts = useTexts(pinTexts);
  const [step, setStep] = useState<"closed" | "open" | "set">("closed");
  const [by, setBy] = useState<"old" | "code">("code");
  return (
    <Card title={texts.pin}>
      <p>{texts.about}</p>
      {step === "set" && (
        <p role="status" className="font-semibold">
          {texts.isSet}
        </p>
      )}
      {step === "open" ? (
        <div className="mt-2 space-y-3">
          <Choice
            name="pin-way"
            legend={texts.how}
            options={[
              ["code", texts.byCode],
              ["old", texts.byOld],
            ]}
            value={by}
            onChange={setBy}
          />
          <NewPin key={by} by={by} onSet={() => setStep("set")} />
          <Button look="quiet" onClick={() => setStep("closed")}>
            {texts.back}
          </Button>
        </div>
      ) : (
        <div className="mt-2">
          <Button look="quiet" onClick={() => setStep("open")}>
            {texts.change}
          </Button>
        </div>
      )}
    </Card>
  );
}
