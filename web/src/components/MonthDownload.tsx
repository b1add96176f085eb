import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import * as questions from "../lib/questions";
import { MonthSelect, monthsUntil } from "./MonthSelect";
import { Loaded } from "./states";

const link =
  "inline-flex min-h-12 items-center rounded-xl bg-stone-200 px-4 font-semibold text-stone-900 hover:bg-stone-300 dark:bg-stone-800 dark:text-stone-100";

/**
 * A month, and documents of it to download. The months are counted from the server's time: a
 * village may live in another month than the phone. The session's cookie goes with the link.
 */
export function MonthDownload({
  id,
  label,
  documents,
}: {
  id: string;
  label: string;
  documents: (month: string) => { text: string; href: string }[];
}) {
  const config = useQuery(questions.config);
  const [chosen, choose] = useState<string | null>(null);
  return (
    <Loaded query={config}>
      {({ now }) => {
        const months = monthsUntil(now);
        const month = chosen ?? months[0] ?? "";
        return (
          <div className="flex flex-wrap items-end gap-2">
            <div>
              <label htmlFor={id} className="mb-1 block font-medium text-sm">
                {label}
              </label>
              <MonthSelect id={id} months={months} month={month} choose={choose} />
            </div>
            {documents(month).map(({ text, href }) => (
              <a key={href} href={href} download className={link}>
                {text}
              </a>
            ))}
          </div>
        );
      }}
    </Loaded>
  );
}
