import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Button, Card, Field } from "../../components/basics";
import { ServerButton } from "../../components/states";
import { codeDigits, formatPhone, type Phone, parsePhone } from "../../domain/phone";
import { useLanguage, useTexts } from "../../i18n";
import { deviceName, sendCode, signIn } from "../../lib/accounts";
import { ApiError } from "../../lib/api";
import { choose } from "../../lib/choices";
import { SmsRefused, useCountdown } from "./sms";
import { signInTexts } from "./texts";

/** A number, then the code that was sent to it. What was typed stays, whatever the server says. */
export default function PhoneSignIn({ onSignedIn }: { onSignedIn: () => void }) {
  const texts = useTexts(signInTexts);
  const { language } = useLanguage();
  const [typed, setTyped] = useState("");
  const [phone, setPhone] = useState<Phone | null>(null);
  const [wrong, setWrong] = useState(false);
  const send = useMutation({
    mutationFn: (to: Phone) => sendCode(to, language),
    onSuccess: (_, to) => setPhone(to),
  });
  // What the server takes for no number is wrong at the field, too.
  const isUnknown = send.error instanceof ApiError && send.error.code === "api.phone_invalid";
  const ask = (event: FormEvent) => {
    event.preventDefault();
    const parsed = parsePhone(typed);
    setWrong(!parsed);
    if (parsed) send.mutate(parsed);
  };
  return (
    <>
      <h1 className="font-bold text-2xl">{texts.title}</h1>
      <Card>
        {phone && send.data ? (
          <Code
            phone={phone}
            sent={send.data}
            isSending={send.isPending}
            onAgain={() => send.mutate(phone)}
            onOther={() => setPhone(null)}
            onSignedIn={onSignedIn}
          />
        ) : (
          <form onSubmit={ask} className="space-y-3" noValidate>
            <Field
              id="phone"
              type="tel"
              inputMode="tel"
              autoComplete="tel"
              label={texts.phone}
              hint={texts.phoneHint}
              error={wrong || isUnknown ? texts.wrongPhone : null}
              value={typed}
              maxLength={24}
              onChange={(event) => {
                setTyped(event.target.value);
                setWrong(false);
                send.reset();
              }}
            />
            <ServerButton type="submit" disabled={send.isPending}>
              {texts.send}
            </ServerButton>
          </form>
        )}
        {send.isError && !isUnknown && <SmsRefused error={send.error} />}
        <p className="mt-4 text-sm text-stone-600 dark:text-stone-400">{texts.help}</p>
      </Card>
    </>
  );
}

function Code({
  phone,
  sent,
  isSending,
  onAgain,
  onOther,
  onSignedIn,
}: {
  phone: Phone;
  sent: { resend_after_s: number; valid_s: number };
  isSending: boolean;
  onAgain: () => void;
  onOther: () => void;
  onSignedIn: () => void;
}) {
  const texts = useTexts(signInTexts);
  const [code, setCode] = useState("");
  const [shared, setShared] = useState(false);
  const [wrong, setWrong] = useState(false);
  const seconds = useCountdown(sent);
  const enter = useMutation({
    mutationFn: () => signIn({ phone, code, shared_phone: shared, device_name: deviceName() }),
    onSuccess: () => {
      if (shared) choose("hidden", "yes");
      onSignedIn();
    },
  });
  // What is wrong with the code belongs to its field; what is wrong elsewhere does not.
  const isRefused = enter.error instanceof ApiError && enter.error.code === "api.code_wrong";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setWrong(code.length !== 6);
    if (code.length === 6) enter.mutate();
  };
  return (
    <form onSubmit={submit} className="space-y-3" noValidate>
      <p role="status">{texts.sent(formatPhone(phone), Math.floor(sent.valid_s / 60))}</p>
      <Field
        id="code"
        inputMode="numeric"
        autoComplete="one-time-code"
        label={texts.code}
        hint={texts.codeHint}
        error={wrong ? texts.wrongCode : isRefused ? texts.refused : null}
        value={code}
        onChange={(event) => {
          setCode(codeDigits(event.target.value));
          setWrong(false);
          enter.reset();
        }}
      />
      <div>
        <label className="flex min-h-12 items-center gap-2">
          <input
            type="checkbox"
            checked={shared}
            aria-describedby="shared-note"
            onChange={(event) => setShared(event.target.checked)}
            className="h-6 w-6 accent-leaf-700"
          />
          {texts.shared}
        </label>
        <p id="shared-note" className="text-sm text-stone-600 dark:text-stone-400">
          {texts.sharedHint}
        </p>
      </div>
      {enter.isError && !isRefused && <SmsRefused error={enter.error} />}
      <div className="flex flex-wrap gap-2">
        <ServerButton type="submit" disabled={enter.isPending}>
          {texts.enter}
        </ServerButton>
        <Button look="quiet" disabled={seconds > 0 || isSending} onClick={onAgain}>
          {seconds > 0 ? texts.againIn(seconds) : texts.again}
        </Button>
        <Button look="quiet" onClick={onOther}>
          {texts.other}
        </Button>
      </div>
    </form>
  );
}
