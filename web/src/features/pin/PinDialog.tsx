import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { Button } from "../../components/basics";
import { Problem, ServerButton } from "../../components/states";
import { isPin } from "../../domain/pin";
import { useTexts } from "../../i18n";
import { givePin } from "../../lib/accounts";
import type { Given } from "../../lib/pin";
import { NewPin } from "./NewPin";
import { PinField } from "./PinField";
import { isCode, ofPin } from "./refusal";
import { pinTexts } from "./texts";

/** Over everything, with the form behind untouched, until the PIN was given or the person goes back. */
export function PinDialog({ onEnd }: { onEnd: (given: Given) => void }) {
  const texts = useTexts(pinTexts);
  const [way, setWay] = useState<"give" | "forgotten" | "not_set">("give");
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    // What had the focus may be gone with the way before.
    if (way !== "give") dialog.current?.querySelector("input")?.focus();
  }, [way]);
  useEffect(() => {
    // Who goes back to another page has let go of what was asked on this one.
    const leave = () => onEnd("not_given");
    window.addEventListener("popstate", leave);
    return () => window.removeEventListener("popstate", leave);
  }, [onEnd]);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="pin-title"
      // Escape, and the phone's own way back.
      onClose={() => onEnd("not_given")}
      className="m-auto w-full max-w-md rounded-2xl bg-white p-4 text-stone-900 backdrop:bg-black/60 dark:bg-stone-900 dark:text-stone-100"
    >
      <h2 id="pin-title" className="mb-2 font-bold text-xl">
        {way === "give" ? texts.title : texts.newTitle}
      </h2>
      {way === "give" ? (
        <Give onEnd={onEnd} onForgotten={() => setWay("forgotten")} onNotSet={() => setWay("not_set")} />
      ) : (
        <>
          {way === "not_set" && (
            <p role="status" className="mb-2">
              {texts.notSet}
            </p>
          )}
          <NewPin by="code" onSet={() => onEnd("given")} />
          <div className="mt-2">
            <Button look="quiet" onClick={() => (way === "not_set" ? onEnd("not_given") : setWay("give"))}>
              {texts.back}
            </Button>
          </div>
        </>
      )}
    </dialog>
  );
}

function Give({
  onEnd,
  onForgotten,
  onNotSet,
}: {
  onEnd: (given: Given) => void;
  onForgotten: () => void;
  onNotSet: () => void;
}) {
  const texts = useTexts(pinTexts);
  const [pin, setPin] = useState("");
  const [wrong, setWrong] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const again = () => field.current?.select();
  const give = useMutation({
    mutationFn: givePin,
    onSuccess: () => onEnd("given"),
    onError: (error) => (isCode(error, "api.pin_not_set") ? onNotSet() : again()),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (give.isPending) return;
    setWrong(!isPin(pin));
    if (isPin(pin)) give.mutate(pin);
    else again();
  };
  const said = ofPin(give.error, texts);
  return (
    <form onSubmit={submit} className="space-y-3" noValidate>
      <p>{texts.why}</p>
      <PinField
        ref={field}
        id="pin"
        label={texts.pin}
        hint={texts.pinHint}
        error={wrong ? texts.shape : said}
        value={pin}
        onDigits={(digits) => {
          setPin(digits);
          setWrong(false);
          give.reset();
        }}
      />
      {give.isError && said === null && <Problem error={give.error} />}
      <div className="flex flex-wrap gap-2">
        <ServerButton type="submit" disabled={give.isPending}>
          {texts.confirm}
        </ServerButton>
        <Button look="quiet" onClick={() => onEnd("not_given")}>
          {texts.back}
        </Button>
        <Button look="quiet" onClick={onForgotten}>
          {texts.forgotten}
        </Button>
      </div>
    </form>
  );
}
