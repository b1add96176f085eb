import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { offline } from "./offline.ts";

// What a phone has kept of one API must not be read as another's.
const api = createHash("sha256").update(readFileSync(new URL("openapi.json", import.meta.url)));

/** Both pages begin with these; lists that go on page by page are the desk's alone. */
const base =
  /node_modules\/(?!.*[iI]nfinite)(react|react-dom|scheduler|@tanstack|wouter|use-sync-external-store|regexparam)\/|src\/lib\/(?!accounts)|src\/domain\/(energy|group|money|time)\.|src\/components\/(basics|states)|src\/i18n\/index/;

// Two entries, so that the operator's code never reaches a household's phone.
export default defineConfig({
  plugins: [react(), tailwindcss(), offline()],
  resolve: { alias: { "use-sync-external-store/shim/index.js": "react" } },
  define: { __API__: JSON.stringify(api.digest("hex").slice(0, 12)) },
  build: {
    target: "chrome111",
    rolldownOptions: {
      input: { household: "index.html", ops: "ops.html" },
      // What both pages begin with is one file: it compresses better than many.
      output: { codeSplitting: { groups: [{ name: "base", test: base }] } },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
  test: {
    environment: "happy-dom",
    environmentOptions: { happyDOM: { url: "http://jirani.test/" } },
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/setup.ts"],
    testTimeout: 30_000,
    env: { TZ: "America/New_York" },
  },
});
