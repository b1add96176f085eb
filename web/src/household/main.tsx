import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { firstVoice, Speaking } from "../i18n";
import { makeQueryClient } from "../lib/query";
import * as questions from "../lib/questions";
import { keep, restore } from "../lib/snapshot";
import "../styles.css";
import { App } from "./App";
import "./pin";
import { load } from "./screens";

async function start(element: HTMLElement): Promise<void> {
  // The screen's file travels while the language's does.
  load(window.location.pathname);
  const client = makeQueryClient();
  restore(client);
  keep(client);
  void client.prefetchQuery(questions.me);
  if (window.location.pathname === "/") void client.prefetchQuery(questions.home);
  const first = await firstVoice();
  createRoot(element).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <Speaking first={first}>
          <App />
        </Speaking>
      </QueryClientProvider>
    </StrictMode>,
  );
}

const element = document.getElementById("app");
if (element) void start(element);
