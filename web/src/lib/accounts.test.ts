import { describe, expect, it } from "vitest";
import { deviceName } from "./accounts";

describe("a device", () => {
  it.each([
    [
      "Mozilla/5.0 (Linux; Android 9) AppleWebKit/537.36 Chrome/138.0 Mobile Safari/537.36",
      "Chrome, Android",
    ],
    ["Mozilla/5.0 (Linux; Android 9) Chrome/138.0 Mobile Safari/537.36 OPR/70.0", "Opera, Android"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari, iPhone"],
    ["something else", "Browser"],
  ])("is named by its browser and its system, no finer: %s", (agent, name) =>
    expect(deviceName(agent)).toBe(name),
  );
});
