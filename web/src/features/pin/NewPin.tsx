import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { Button, Field } from "../../components/basics";
import { Problem, ServerButton } from "../../components/states";
import { codeDigits, fitsMask, type Phone, parsePhone } from "../../domain/phone";
import { isEasy, isPin } from "../../domain/pin";
import { useLanguage, useTexts } from "../../i18n";
import { sendCode, setPin } from "../../lib/accounts";
import * as questions from "../../lib/questions";
import { SmsRefused, useCountdown } from "../signin/sms";
import { PinField } from "./PinField";
import { isCode, ofPin } from "./refusal";
import { pinTexts } from "./texts";

/** Sets the PIN, against the old one or a code by SMS. What was typed stays, whatever the server says. */
export function NewPin({ by, onSet }: { by: "old" | "code"; onSet: () => void }) {
  const [sent, setSent] = useState<{ phone: Phone; resend_after_s: number; valid_s: number } | null>(null);
  if (by === "code" && !sent) return <AskForCode onSent={setSent} />;
  return <Choose sent={by === "code" ? sent : null} onSent={setSent} onSet={onSet} />;
}

interface Sent {
  phone: Phone;
  resend_after_s: number;
  valid_s: number;
}

function useSend(onSent: (sent: Sent) => void) {
  const { language } = useLanguage();
  return useMutation({
    mutationFn: async (phone: Phone) => ({ ...(await sendCode(phone, language)), phone }),
    onSuccess: onSent,
  });
}

/** The number in full: the server shows its ends only, also to its own household. */
function AskForCode({ onSent }: { onSent: (sent: Sent) => void }) {
  const texts = useTexts(pinTexts);
  const masked = useQuery(questions.me).data?.msisdn_masked ?? null;
  const [typed, setTyped] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const send = useSend(onSent);
  const ask = (event: FormEvent) => {
    event.preventDefault();
    const phone = parsePhone(typed);
    const isOther = phone !== null && masked !== null && !fitsMask(phone, masked);
    setWrong(phone === null ? texts.wrongPhone : isOther ? texts.otherPhone(masked) : null);
    if (phone !== null && !isOther) send.mutate(phone);
  };
  return (
    <form onSubmit={ask} className="space-y-3" noValidate>
      <Field
        id="pin-phone"
        type="tel"
        inputMode="tel"
        autoComplete="tel"
        label={texts.phone}
        hint={texts.phoneHint(masked)}
        error={wrong}
        maxLength={24}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setWrong(null);
          send.reset();
        }}
      />
      {send.isError && <SmsRefused error={send.error} />}
      <ServerButton type="submit" disabled={send.isPending}>
        {texts.send}
      </ServerButton>
    </form>
  );
}

function Choose({
  sent,
  onSent,
  onSet,
}: {
  sent: Sent | null;
  onSent: (sent: Sent) => void;
  onSet: () => void;
}) {
  const texts = useTexts(pinTexts);
  const [proof, setProof] = useState("");
  const [pin, setNew] = useState("");
  const [seen, setSeen] = useState<"yes" | "no">("no");
  const code = useRef<HTMLInputElement>(null);
  // The button that sent the code is gone.
  useEffect(() => code.current?.focus(), []);
  const [wrong, setWrong] = useState<{ proof: string | null; pin: string | null }>({
    proof: null,
    pin: null,
  });
  const set = useMutation({
    mutationFn: () => setPin(sent ? { pin, code: proof } : { pin, old_pin: proof }),
    onSuccess: onSet,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const isProof = sent ? proof.length === 6 : isPin(proof);
    const isGood = isPin(pin) && !isEasy(pin);
    setWrong({
      proof: isProof ? null : sent ? texts.wrongCode : texts.shape,
      pin: isGood ? null : texts.newHint,
    });
    if (isProof && isGood && !set.isPending) set.mutate();
  };
  const change = () => {
    setWrong({ proof: null, pin: null });
    set.reset();
  };
  const ofCode = isCode(set.error, "api.code_wrong") ? texts.refusedCode : null;
  const ofOld = sent ? null : ofPin(set.error, texts);
  const ofNew = isCode(set.error, "api.pin_too_easy") ? texts.newHint : null;
  return (
    <form onSubmit={submit} className="space-y-3" noValidate>
      {sent ? (
        <>
          <p role="status">{texts.sent(Math.floor(sent.valid_s / 60))}</p>
          <Field
            ref={code}
            id="pin-code"
            inputMode="numeric"
            autoComplete="one-time-code"
            label={texts.code}
            hint={texts.codeHint}
            error={wrong.proof ?? ofCode}
            value={proof}
            onChange={(event) => {
              setProof(codeDigits(event.target.value));
              change();
            }}
          />
        </>
      ) : (
        <PinField
          id="pin-old"
          label={texts.old}
          error={wrong.proof ?? ofOld}
          value={proof}
          onDigits={(digits) => {
            setProof(digits);
            change();
          }}
        />
      )}
      <PinField
        id="pin-new"
        label={texts.newPin}
        hint={texts.newHint}
        error={wrong.pin ?? ofNew}
        seen={seen}
        value={pin}
        onDigits={(digits) => {
          setNew(digits);
          change();
        }}
      />
      <label className="flex min-h-12 items-center gap-2">
        <input
          type="checkbox"
          checked={seen === "yes"}
          onChange={(event) => setSeen(event.target.checked ? "yes" : "no")}
          className="h-6 w-6 accent-leaf-700"
        />
        {texts.see}
      </label>
      {set.isError && ofCode === null && ofOld === null && ofNew === null && <Refused error={set.error} />}
      <ServerButton type="submit" disabled={set.isPending}>
        {texts.set}
      </ServerButton>
      {sent && <Again sent={sent} onSent={onSent} />}
    </form>
  );
}

function Refused({ error }: { error: unknown }) {
  const said = ofPin(error, useTexts(pinTexts));
  return <Problem error={said === null ? error : new Error(said)} />;
}

function Again({ sent, onSent }: { sent: Sent; onSent: (sent: Sent) => void }) {
  const texts = useTexts(pinTexts);
  const seconds = useCountdown(sent);
  const send = useSend(onSent);
  return (
    <>
      {send.isError && <SmsRefused error={send.error} />}
      <Button look="quiet" disabled={seconds > 0 || send.isPending} onClick={() => send.mutate(sent.phone)}>
        {seconds > 0 ? texts.againIn(seconds) : texts.again}
      </Button>
    </>
  );
}
