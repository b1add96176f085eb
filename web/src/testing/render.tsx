import { QueryClientProvider } from "@tanstack/react-query";
import { type RenderResult, render } from "@testing-library/react";
import type { ReactNode } from "react";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";
import { Speaking } from "../i18n";
import { en } from "../i18n/en";
import { sw } from "../i18n/sw";
import { makeQueryClient } from "../lib/query";

/** A screen as the app shows it, at `path`; `history` tells where it went. */
export function show(screen: ReactNode, path = "/"): RenderResult & { history: string[] } {
  const location = memoryLocation({ path, record: true });
  const first =
    localStorage.getItem("jirani.language") === "sw"
      ? ({ language: "sw", messages: sw } as const)
      : ({ language: "en", messages: en } as const);
  const result = render(
    <QueryClientProvider client={makeQueryClient()}>
      <Speaking first={first}>
        <Router hook={location.hook} searchHook={location.searchHook}>
          {screen}
        </Router>
      </Speaking>
    </QueryClientProvider>,
  );
  return { ...result, history: location.history };
}
