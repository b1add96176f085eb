import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useId } from "react";
import { Link } from "wouter";
import { Button, Card } from "../../components/basics";
import { Choice } from "../../components/Choice";
import { Guard } from "../../components/states";
import { type Language, useLanguage, useTexts } from "../../i18n";
import { choose, useChoice, useHidden, useSaver } from "../../lib/choices";
import * as questions from "../../lib/questions";
import { useSignOut } from "../../lib/session";
import { PinCard } from "../pin/PinCard";
import { Devices } from "./Devices";
import { settingsTexts } from "./texts";

/** How this device shows things, where else somebody is signed in, and where help is. */
export function SettingsScreen() {
  const { language, messages, speak } = useLanguage();
  const texts = useTexts(settingsTexts);
  const { hidden, toggle } = useHidden();
  const saver = useSaver();
  const isDemo = useQuery(questions.config).data?.demo ?? false;
  const signOut = useSignOut();
  return (
    <div className="space-y-4">
      <h1 className="font-bold text-2xl">{messages.settings}</h1>
      <Card title={texts.language}>
        <Choice<Language>
          name="language"
          options={[
            ["en", "English"],
            ["sw", "Kiswahili"],
          ]}
          value={language}
          onChange={(next) => void speak(next).catch(() => {})}
        />
      </Card>
      <Card title={texts.look}>
        <Chosen name="theme" legend={texts.theme} words={texts.themes} usual="system" />
        <Chosen name="text" legend={texts.size} words={texts.sizes} usual="normal" />
      </Card>
      <Card title={texts.data}>
        <Tick
          checked={saver === "yes"}
          onChange={(next) => choose("saver", next ? "yes" : "no")}
          hint={texts.saverHint}
        >
          {texts.saver}
        </Tick>
        <Tick checked={hidden === "yes"} onChange={toggle} hint={texts.hideHint}>
          {texts.hide}
        </Tick>
      </Card>
      <PinCard />
      <Guard>
        <Devices />
      </Guard>
      <Card title={texts.help}>
        <p>{texts.noNetwork}</p>
        {isDemo && (
          <Link href="/handset" className="inline-block min-h-12 py-3 underline">
            {texts.handset}
          </Link>
        )}
      </Card>
      <Button look="quiet" disabled={signOut.isPending} onClick={() => signOut.mutate()}>
        {messages.signOut}
      </Button>
    </div>
  );
}

function Chosen<T extends string>({
  name,
  legend,
  words,
  usual,
}: {
  name: "theme" | "text";
  legend: string;
  words: Record<T, string>;
  usual: T;
}) {
  const chosen = useChoice(name);
  const options = Object.entries(words) as [T, string][];
  const value = options.find(([key]) => key === chosen)?.[0] ?? usual;
  return (
    <Choice
      name={name}
      legend={legend}
      options={options}
      value={value}
      onChange={(next) => choose(name, next)}
    />
  );
}

function Tick({
  checked,
  onChange,
  hint,
  children,
}: {
  checked: boolean;
  onChange: (next: boolean) => void;
  hint: string;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <div>
      <label className="flex min-h-12 items-center gap-2">
        <input
          type="checkbox"
          checked={checked}
          aria-describedby={id}
          onChange={(event) => onChange(event.target.checked)}
          className="h-6 w-6 accent-leaf-700"
        />
        {children}
      </label>
      <p id={id} className="text-sm text-stone-600 dark:text-stone-400">
        {hint}
      </p>
    </div>
  );
}
