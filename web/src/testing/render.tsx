import { QueryClientProvider } from "@tanstack/react-query";
import { type RenderResult, render } from "@testing-library/react";
import type { ReactNode } from "react";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";
import { Speaking } from "../i18n";
import { makeQueryClient } from "../lib/query";

/** A screen as the app shows it, at `path`; `history` tells where it went. */
export function show(screen: ReactNode, path = "/"): RenderResult & { history: string[] } {
  const location = memoryLocation({ path, record: true });
  const result = render(
    <QueryClientProvider client={makeQueryClient()}>
      <Speaking>
        <Router hook={location.hook} searchHook={location.searchHook}>
          {screen}
        </Router>
      </Speaking>
    </QueryClientProvider>,
  );
  return { ...result, history: location.history };
}
