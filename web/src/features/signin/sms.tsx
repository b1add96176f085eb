import { useEffect, useState } from "react";
import { Problem } from "../../components/states";
import { useTexts } from "../../i18n";
import { ApiError } from "../../lib/api";

/** What may be in the way of a code by SMS, wherever one is asked for. */
const en = {
  tooSoon: "A code was sent just now. Wait half a minute before you ask for another one.",
  tooMany: "Too many tries. Wait a little, then ask for another code.",
  noTexts: "No SMS is sent from here. Ask your operator.",
};

const sw: typeof en = {
  tooSoon: "Nambari ya siri imetumwa sasa hivi. Subiri nusu dakika kabla ya kuomba nyingine.",
  tooMany: "Umejaribu mara nyingi. Subiri kidogo, kisha uombe nambari nyingine.",
  noTexts: "Hakuna SMS inayotumwa kutoka hapa. Muulize mwendeshaji wako.",
};

const texts = { en, sw };

/** Why no code was sent or taken, with what to do. */
export function SmsRefused({ error }: { error: unknown }) {
  const words = useTexts(texts);
  const said = () => {
    if (!(error instanceof ApiError)) return error;
    if (error.code === "api.code_too_soon") return new Error(words.tooSoon);
    if (error.code === "api.no_text_messages") return new Error(words.noTexts);
    return error.status === 429 ? new Error(words.tooMany) : error;
  };
  return <Problem error={said()} />;
}

/** Seconds until another code may be asked for; begins anew with each that was sent. */
export function useCountdown(sent: { resend_after_s: number }): number {
  const [seconds, setSeconds] = useState(sent.resend_after_s);
  useEffect(() => {
    const end = performance.now() + sent.resend_after_s * 1000;
    const look = () => setSeconds(Math.max(0, Math.ceil((end - performance.now()) / 1000)));
    look();
    const timer = setInterval(look, 1000);
    return () => clearInterval(timer);
  }, [sent]);
  return seconds;
}
