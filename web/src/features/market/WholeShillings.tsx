import { useMessages } from "../../i18n";

/** Why the phone asks for more than the due, when it does. */
export function WholeShillings({ asked, due }: { asked: number; due: number }) {
  const messages = useMessages();
  if (asked <= due) return null;
  return (
    <p className="text-sm text-stone-600 dark:text-stone-400">{messages.market.whole(asked, asked - due)}</p>
  );
}
