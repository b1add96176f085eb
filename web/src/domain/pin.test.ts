import { describe, expect, it } from "vitest";
import { isEasy, isPin, pinDigits } from "./pin";

describe("a PIN", () => {
  it("has 4 to 6 digits, whatever else is typed or pasted", () => {
    expect(pinDigits(" 12-34 a5678")).toBe("123456");
    expect(["4071", "40715", "407152"].every(isPin)).toBe(true);
    expect(["", "407", "4071526", "40 71", "٤٠٧١"].some(isPin)).toBe(false);
  });

  it("is easy when it is one digit or digits in a row", () => {
    expect(["1111", "1234", "987654", "000000"].every(isEasy)).toBe(true);
    expect(["1123", "1357", "4071", "9012", "121212"].some(isEasy)).toBe(false);
  });
});
