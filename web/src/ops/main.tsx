import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Speaking } from "../i18n";
import { en } from "../i18n/en";
import { makeQueryClient } from "../lib/query";
import "../styles.css";
import { App } from "./App";

const element = document.getElementById("app");
if (element) {
  createRoot(element).render(
    <StrictMode>
      <QueryClientProvider client={makeQueryClient()}>
        <Speaking first={{ language: "en", messages: en }}>
          <App />
        </Speaking>
      </QueryClientProvider>
    </StrictMode>,
  );
}
