import { beforeEach, describe, expect, it, vi } from "vitest";
import look from "./look.js?raw";

const root = document.documentElement;
let system: { matches: boolean; tell: () => void };

beforeEach(() => {
  localStorage.clear();
  root.className = "";
  system = { matches: false, tell: () => {} };
  vi.stubGlobal("matchMedia", () => ({
    get matches() {
      return system.matches;
    },
    addEventListener: (_: string, tell: () => void) => {
      system.tell = tell;
    },
  }));
  // As the page runs it, before anything else.
  new Function(look)();
});

describe("the look of a page", () => {
  it("is the system's until somebody chose, and follows the system", () => {
    expect(root).not.toHaveClass("dark");
    system.matches = true;
    system.tell();
    expect(root).toHaveClass("dark");
  });

  it("is what was chosen, whatever the system says, from that moment on", () => {
    system.matches = true;
    localStorage.setItem("jirani.theme", "light");
    localStorage.setItem("jirani.text", "larger");
    window.dispatchEvent(new Event("jirani-chosen"));
    expect(root).not.toHaveClass("dark");
    expect(root.dataset.text).toBe("larger");
  });
});
