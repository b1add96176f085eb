import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { en, type Messages } from "./en";
import { sw } from "./sw";

export type Language = "en" | "sw";
const dictionaries: Record<Language, Messages> = { en, sw };

interface Speech {
  language: Language;
  messages: Messages;
  speak: (language: Language) => void;
}

const Context = createContext<Speech>({ language: "en", messages: en, speak: () => {} });

function initial(): Language {
  const stored = localStorage.getItem("jirani.language");
  if (stored === "en" || stored === "sw") return stored;
  return navigator.language.startsWith("sw") ? "sw" : "en";
}

/** Texts in the person's language; the choice is kept on this device. */
export function Speaking({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(initial);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const speech = useMemo<Speech>(
    () => ({
      language,
      messages: dictionaries[language],
      speak: (next) => {
        localStorage.setItem("jirani.language", next);
        setLanguage(next);
      },
    }),
    [language],
  );
  return <Context value={speech}>{children}</Context>;
}

export function useMessages(): Messages {
  return useContext(Context).messages;
}

export function useLanguage(): Speech {
  return useContext(Context);
}
