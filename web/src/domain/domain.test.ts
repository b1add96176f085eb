import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatEnergy, formatPower, parseKilowattHours } from "./energy";
import { formatMoney, parseShillings } from "./money";
import { isFinal, standing, stepsDone } from "./payment";
import { codeDigits, formatPhone, parsePhone } from "./phone";
import { formatMoment, formatTime, minutesSince, quarterInNairobi } from "./time";

describe("money", () => {
  it.each([
    [0, "KSh 0.00"],
    [123_450, "KSh 1,234.50"],
    [-2_000, "-KSh 20.00"],
    [5, "KSh 0.05"],
  ])("%i cents reads %s", (cents, text) => expect(formatMoney(cents)).toBe(text));

  it("survives being printed and typed again", () =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99_999_999 }), (cents) => {
        expect(parseShillings(formatMoney(cents))).toBe(cents);
      }),
    ));

  it.each(["", "12.345", "1,23", "-5", "abc"])("refuses %s", (text) =>
    expect(parseShillings(text)).toBeNull(),
  );
});

describe("energy", () => {
  it.each([
    [0, "0.00 kWh"],
    [1_259, "1.25 kWh"],
    [12_345, "12.3 kWh"],
    [-450, "-0.45 kWh"],
    [1_234_567, "1,234.5 kWh"],
  ])("%i Wh reads %s", (wh, text) => expect(formatEnergy(wh)).toBe(text));

  it("keeps power apart from energy", () => {
    expect(formatPower(-430)).toBe("430 W");
    expect(formatPower(1_980)).toBe("1.9 kW");
  });

  it.each([
    ["1.5", 1_500],
    ["0,25", 250],
    ["2", 2_000],
  ])("%s kWh is %i Wh", (text, wh) => expect(parseKilowattHours(text)).toBe(wh));
});

describe("time", () => {
  it("reads a quarter of an hour of Nairobi, and nothing else", () => {
    expect(quarterInNairobi("2026-12-01", "06:00")).toBe("2026-12-01T03:00:00Z");
    expect(quarterInNairobi("2026-12-01", "00:15")).toBe("2026-11-30T21:15:00Z");
    for (const [day, time] of [
      ["2026-12-01", "06:10"],
      ["2026-13-01", "06:00"],
      ["", "06:00"],
    ]) {
      expect(quarterInNairobi(day ?? "", time ?? "")).toBeNull();
    }
  });

  it("is Nairobi's wherever the phone is", () => {
    expect(formatMoment("2026-11-22T21:30:00Z")).toBe("23 Nov 2026, 00:30");
    expect(formatTime("2026-11-22T09:06:00Z")).toBe("12:06");
  });

  it("counts whole minutes", () =>
    expect(minutesSince("2026-11-22T09:00:00Z", "2026-11-22T09:02:59Z")).toBe(2));
});

describe("a phone number", () => {
  it.each(["0712 345 678", "712345678", "254712345678", "+254-712-345-678"])("is read from %s", (text) =>
    expect(parsePhone(text)).toBe("254712345678"),
  );

  it.each(["", "0812345678", "071234567", "07123456789", "+255712345678", "0712345678x"])(
    "is not %s",
    (text) => expect(parsePhone(text)).toBeNull(),
  );

  it("survives being printed and typed again", () =>
    fc.assert(
      fc.property(fc.constantFrom("1", "7"), fc.integer({ min: 0, max: 99_999_999 }), (kind, rest) => {
        const phone = `254${kind}${rest.toString().padStart(8, "0")}`;
        expect(parsePhone(formatPhone(phone))).toBe(phone);
      }),
    ));

  it("gets a code of six digits, however it was pasted", () => {
    expect(codeDigits("Jirani: 123-456")).toBe("123456");
    expect(codeDigits("1234567")).toBe("123456");
  });
});

describe("payment", () => {
  it("walks four steps and says when it does not know", () => {
    expect(
      ["planned", "awaiting_payment", "receipt_awaited", "paid", "settled"].map((s) => stepsDone(s as never)),
    ).toEqual([0, 1, 2, 3, 4]);
    expect(standing("receipt_awaited")).toBe("receipt_awaited");
    expect(isFinal("released")).toBe(true);
    expect(isFinal("paid")).toBe(false);
  });
});
