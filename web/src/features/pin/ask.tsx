import { QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import { firstVoice, Speaking } from "../../i18n";
import type { Given } from "../../lib/pin";
import { makeQueryClient } from "../../lib/query";
import { PinDialog } from "./PinDialog";

let open: Promise<Given> | null = null;

/** Asks once, however many questions wait for it. */
export function ask(from: Element | null): Promise<Given> {
  open ??= shown(from).finally(() => {
    open = null;
  });
  return open;
}

/** Beside the app, so that nothing of what stands there is drawn anew. */
async function shown(from: Element | null): Promise<Given> {
  const voice = await firstVoice();
  const host = document.body.appendChild(document.createElement("div"));
  const root = createRoot(host);
  const given = await new Promise<Given>((end) =>
    root.render(
      <QueryClientProvider client={makeQueryClient()}>
        <Speaking first={voice}>
          <PinDialog onEnd={end} />
        </Speaking>
      </QueryClientProvider>,
    ),
  );
  root.unmount();
  host.remove();
  giveBack(from);
  return given;
}

/** The focus to where it was, as soon as that can be used again: a button is closed while it is asked for. */
function giveBack(from: Element | null): void {
  if (!(from instanceof HTMLElement)) return;
  const watch = new MutationObserver(look);
  function look() {
    if (!(from instanceof HTMLElement) || from.matches(":disabled")) return;
    watch.disconnect();
    if (document.activeElement === document.body) from.focus();
  }
  watch.observe(from, { attributeFilter: ["disabled"] });
  look();
}
