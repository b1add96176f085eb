import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import type { Messages } from "./en";

export type Language = "en" | "sw";

/** A language with its texts: one without the other is never shown. */
export interface Voice {
  language: Language;
  messages: Messages;
}

interface Speech extends Voice {
  /** Fails when the language is neither on this device nor to be had. */
  speak: (language: Language) => Promise<void>;
}

const place = "jirani.language";
const Context = createContext<Speech | null>(null);

/** The texts of a language; each is a file of its own, of which a phone needs one. */
async function voiceOf(language: Language): Promise<Voice> {
  const messages = language === "sw" ? (await import("./sw")).sw : (await import("./en")).en;
  return { language, messages };
}

/** The language that the page chose before its first paint; the other one when it is not to be had. */
export async function firstVoice(): Promise<Voice> {
  const chosen = document.documentElement.lang === "sw" ? "sw" : "en";
  return voiceOf(chosen).catch(() => voiceOf(chosen === "sw" ? "en" : "sw"));
}

/** Texts in the person's language; the choice is kept on this device. */
export function Speaking({ first, children }: { first: Voice; children: ReactNode }) {
  const [voice, setVoice] = useState(first);
  useEffect(() => {
    document.documentElement.lang = voice.language;
  }, [voice]);
  const speech = useMemo<Speech>(
    () => ({
      ...voice,
      speak: async (language) => {
        const next = await voiceOf(language);
        localStorage.setItem(place, language);
        setVoice(next);
      },
    }),
    [voice],
  );
  return <Context value={speech}>{children}</Context>;
}

export function useLanguage(): Speech {
  const speech = useContext(Context);
  if (!speech) throw new Error("a screen stands outside of Speaking");
  return speech;
}

/** Texts that few screens read: they travel in the file of those, in both languages. */
export function useTexts<T>(texts: Record<Language, T>): T {
  return texts[useLanguage().language];
}

export function useMessages(): Messages {
  return useLanguage().messages;
}
