import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// Two entries, so that the operator's code never reaches a household's phone.
export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    target: "chrome111",
    rollupOptions: { input: { household: "index.html", ops: "ops.html" } },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
  test: {
    environment: "happy-dom",
    environmentOptions: { happyDOM: { url: "http://jirani.test/" } },
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/setup.ts"],
    env: { TZ: "America/New_York" },
  },
});
