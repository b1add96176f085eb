import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { api, asked } from "../../lib/api";
import { askPinWith } from "../../lib/pin";
import { show } from "../../testing/render";
import { refusal, serve } from "../../testing/server";
import { BuyForm } from "../market/BuyForm";
import { MoneyScreen } from "../money/MoneyScreen";
import { ask } from "./ask";

const quote = {
  fills: [],
  energy_wh: 1_500,
  due_cents: 3_001,
  collect_cents: 3_100,
  fee_cents: 450,
  tax_cents: 300,
  retail_cents: 5_250,
  saved_cents: 0,
};
const needed = () => refusal(403, "api.pin_needed", "Give your PIN first.");
const done = () => new Response(null, { status: 204 });
const me = { id: 1, name: "Achieng", msisdn_masked: "0712 *** 678" };

/** A server that moves money for as long as its PIN was given. */
function bank() {
  const state = { given: false, orders: [] as Request[], pins: [] as string[] };
  const routes = {
    "GET /api/v1/me": () => me,
    "POST /api/v1/me/quotes": () => quote,
    "POST /api/v1/me/orders": (request: Request) => {
      state.orders.push(request);
      return state.given ? { id: 17 } : needed();
    },
    "POST /api/v1/session/pin": async (request: Request) => {
      const { pin } = await request.clone().json();
      state.pins.push(pin);
      state.given = pin === "4071";
      return state.given ? done() : refusal(403, "api.pin_wrong", "That is not your PIN. Tries left: 2.");
    },
  };
  return { state, routes };
}

async function buy() {
  const page = show(<BuyForm initialWh={1_500} />);
  await userEvent.click(screen.getByRole("radio", { name: /balance/i }));
  await userEvent.click(screen.getByRole("button", { name: "See the price" }));
  await userEvent.click(await screen.findByRole("button", { name: "Yes, pay KSh 30.01" }));
  return page;
}

const dialog = async () => within(await screen.findByRole("dialog"));
const keysOf = (orders: Request[]) => orders.map(({ headers }) => headers.get("Idempotency-Key"));

beforeEach(() => {
  localStorage.clear();
  document.documentElement.lang = "en";
  askPinWith(ask);
});
// Whoever is still asked is no longer there.
afterEach(() => {
  act(() => void window.dispatchEvent(new PopStateEvent("popstate")));
  askPinWith(null);
});

describe("money that asks for the PIN", () => {
  it("is asked for again under the same key, with the same words, once the PIN was given", async () => {
    const { state, routes } = bank();
    serve(routes);
    const { history } = await buy();
    const pin = (await dialog()).getByLabelText("PIN");
    expect(pin).toHaveAttribute("type", "password");
    expect(pin).toHaveAttribute("inputmode", "numeric");
    expect(history.at(-1)).toBe("/");
    await userEvent.type(pin, "4071{Enter}");
    await waitFor(() => expect(history.at(-1)).toBe("/pay/17"));
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(state.orders).toHaveLength(2);
    const [first, second] = keysOf(state.orders);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(second).toBe(first);
    const bodies = await Promise.all(state.orders.map((order) => order.text()));
    expect(bodies[1]).toBe(bodies[0]);
  });

  it("is not asked for while the PIN is wrong, and the person tries again in the same place", async () => {
    const { state, routes } = bank();
    serve(routes);
    const { history } = await buy();
    const box = await dialog();
    const pin = box.getByLabelText("PIN");
    await userEvent.type(pin, "123");
    await userEvent.click(box.getByRole("button", { name: "Confirm" }));
    expect(pin).toHaveAccessibleDescription("A PIN has 4 to 6 digits");
    expect(state.pins).toEqual([]);
    await userEvent.type(pin, "{End}9{Enter}");
    await waitFor(() => expect(pin).toHaveAccessibleDescription(/^That is not your PIN\./));
    expect(pin).toHaveFocus();
    expect(state.orders).toHaveLength(1);
    fireEvent.change(pin, { target: { value: "4071" } });
    await userEvent.click(box.getByRole("button", { name: "Confirm" }));
    await waitFor(() => expect(history.at(-1)).toBe("/pay/17"));
    expect(state.pins).toEqual(["1239", "4071"]);
    expect(state.orders).toHaveLength(2);
  });

  it.each(["the button", "Escape", "the phone's way back"])(
    "stays where it is when the person gives up by %s",
    async (how) => {
      const { state, routes } = bank();
      serve(routes);
      const { history } = await buy();
      const box = await dialog();
      await userEvent.type(box.getByLabelText("PIN"), "40");
      if (how === "the button") await userEvent.click(box.getByRole("button", { name: "Back" }));
      else if (how === "Escape") act(() => screen.getByRole<HTMLDialogElement>("dialog").close());
      else act(() => void window.dispatchEvent(new PopStateEvent("popstate")));
      expect(await screen.findByRole("alert")).toHaveTextContent("Give your PIN first.");
      expect(screen.queryByRole("dialog")).toBeNull();
      expect(history.at(-1)).toBe("/");
      expect(state.orders).toHaveLength(1);
      expect(screen.getByLabelText("How much?")).toHaveValue("1.500");
      const pay = screen.getByRole("button", { name: "Yes, pay KSh 30.01" });
      await waitFor(() => expect(pay).toHaveFocus());
      await userEvent.click(pay);
      await userEvent.type((await dialog()).getByLabelText("PIN"), "4071{Enter}");
      await waitFor(() => expect(history.at(-1)).toBe("/pay/17"));
      expect(new Set(keysOf(state.orders)).size).toBe(1);
    },
  );

  it("keeps what was typed of a withdrawal", async () => {
    const { routes } = bank();
    const seen = serve({
      ...routes,
      "GET /api/v1/me/home": () => ({ balance_cents: 12_000, available_cents: 12_000 }),
      "GET /api/v1/me/payouts": () => [],
      "POST /api/v1/me/payouts/quote": () => ({ amount_cents: 5_000, charge_cents: 500, sent_cents: 4_500 }),
      "POST /api/v1/me/payouts": needed,
    });
    show(<MoneyScreen />);
    const amount = await screen.findByLabelText("Amount in KSh");
    await userEvent.type(amount, "50{Enter}");
    await userEvent.click(await screen.findByRole("button", { name: /45\.00/ }));
    await userEvent.click((await dialog()).getByRole("button", { name: "Back" }));
    expect(await screen.findByText("Give your PIN first.")).toBeVisible();
    expect(amount).toHaveValue("50");
    expect(seen.filter(({ url }) => url.endsWith("/payouts") && !url.includes("quote")).length).toBe(2);
  });

  it("asks for the PIN again when it was given too long ago by then", async () => {
    const { state, routes } = bank();
    let late = true;
    serve({
      ...routes,
      "POST /api/v1/me/orders": (request: Request) => {
        state.orders.push(request);
        if (state.given && !late) return { id: 17 };
        if (state.given) late = false;
        return needed();
      },
    });
    const { history } = await buy();
    await userEvent.type((await dialog()).getByLabelText("PIN"), "4071{Enter}");
    await waitFor(() => expect(state.orders).toHaveLength(2));
    await waitFor(() => expect(screen.getByLabelText("PIN")).toHaveValue(""));
    await userEvent.type(screen.getByLabelText("PIN"), "4071{Enter}");
    await waitFor(() => expect(history.at(-1)).toBe("/pay/17"));
    expect(new Set(keysOf(state.orders)).size).toBe(1);
  });

  it("asks once for all that waits for it", async () => {
    const { state, routes } = bank();
    serve(routes);
    const order = (key: string) =>
      asked(
        api.POST("/api/v1/me/orders", {
          params: { header: { "Idempotency-Key": key } },
          body: { energy_wh: 1_000, pay_with: "balance" },
        }),
      );
    const both = Promise.all([order("a1"), order("b2")]);
    await waitFor(() => expect(state.orders).toHaveLength(2));
    expect(await screen.findAllByRole("dialog")).toHaveLength(1);
    await userEvent.type(screen.getByLabelText("PIN"), "4071{Enter}");
    await both;
    expect(state.pins).toEqual(["4071"]);
    expect(keysOf(state.orders).sort()).toEqual(["a1", "a1", "b2", "b2"]);
  });

  it("says when the server cannot be reached, and waits with what was typed", async () => {
    const { state, routes } = bank();
    serve(routes);
    const { history } = await buy();
    const box = await dialog();
    const served = globalThis.fetch;
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    await userEvent.type(box.getByLabelText("PIN"), "4071{Enter}");
    expect(await box.findByRole("alert")).toBeVisible();
    expect(box.getByLabelText("PIN")).toHaveValue("4071");
    expect(state.orders).toHaveLength(1);
    expect(box.getByRole("button", { name: "Confirm" })).toBeDisabled();
    vi.stubGlobal("fetch", served);
    await asked(api.GET("/api/v1/me"));
    await userEvent.type(box.getByLabelText("PIN"), "{Enter}");
    await waitFor(() => expect(history.at(-1)).toBe("/pay/17"));
  });

  it("stays refused on a page that asks nobody, and where the dialog cannot be had", async () => {
    const { state, routes } = bank();
    serve(routes);
    const order = () =>
      asked(api.POST("/api/v1/me/orders", { body: { energy_wh: 1, pay_with: "balance" } } as never));
    askPinWith(null);
    await expect(order()).rejects.toMatchObject({ code: "api.pin_needed" });
    askPinWith(() => Promise.reject(new TypeError("the file is gone")));
    await expect(order()).rejects.toMatchObject({ code: "api.pin_needed" });
    expect(state.orders).toHaveLength(2);
  });
});

describe("who has no PIN, or forgot it", () => {
  const newPin = (refuse?: () => Response) => {
    const { state, routes } = bank();
    const seen = serve({
      ...routes,
      "POST /api/v1/session/pin": () => refusal(409, "api.pin_not_set", "You have no PIN yet."),
      "POST /api/v1/sign-in/code": () => Response.json({ resend_after_s: 30, valid_s: 300 }, { status: 202 }),
      "POST /api/v1/me/pin": () => {
        const no = refuse?.();
        state.given = no === undefined;
        return no ?? done();
      },
    });
    return { state, sent: (path: string) => seen.filter(({ url }) => url.endsWith(path)) };
  };

  it("sets one with a code by SMS on the spot, and the money goes on", async () => {
    const { state, sent } = newPin();
    const { history } = await buy();
    const box = await dialog();
    await userEvent.type(box.getByLabelText("PIN"), "4071{Enter}");
    expect(await box.findByText("You have no PIN yet. Set one with a code by SMS.")).toBeVisible();
    const phone = box.getByLabelText("Phone number of this household");
    await waitFor(() => expect(phone).toHaveAccessibleDescription(/^0712 \*\*\* 678/));
    expect(phone).toHaveFocus();
    await userEvent.type(phone, "0722 345 678{Enter}");
    expect(phone).toHaveAccessibleDescription("This is not the number of your household, 0712 *** 678");
    expect(sent("/sign-in/code")).toHaveLength(0);
    fireEvent.change(phone, { target: { value: "0712 345 678" } });
    await userEvent.click(box.getByRole("button", { name: "Send me a code" }));
    const code = await box.findByLabelText("Code from the SMS");
    expect(code).toHaveFocus();
    expect(code).toHaveAttribute("autocomplete", "one-time-code");
    await userEvent.paste("123 456");
    const pin = box.getByLabelText("New PIN");
    await userEvent.type(pin, "1234{Enter}");
    expect(pin).toBeInvalid();
    expect(sent("/me/pin")).toHaveLength(0);
    await userEvent.click(box.getByRole("checkbox", { name: "Show the digits" }));
    expect(pin).toHaveAttribute("type", "text");
    fireEvent.change(pin, { target: { value: "4071" } });
    await userEvent.click(box.getByRole("button", { name: "Set the PIN" }));
    await waitFor(() => expect(history.at(-1)).toBe("/pay/17"));
    expect(await sent("/sign-in/code")[0]?.json()).toEqual({ phone: "254712345678", language: "en" });
    expect(await sent("/me/pin")[0]?.json()).toEqual({ pin: "4071", code: "123456" });
    expect(new Set(keysOf(state.orders)).size).toBe(1);
    expect(state.orders).toHaveLength(2);
  });

  it("reads at the code that it was wrong, and is not signed out for that", async () => {
    const { state } = newPin(() => refusal(401, "api.code_wrong", "No."));
    const { history } = await buy();
    const box = await dialog();
    await userEvent.click(box.getByRole("button", { name: "Set a new PIN with a code by SMS" }));
    await userEvent.type(box.getByLabelText("Phone number of this household"), "0712345678{Enter}");
    await userEvent.type(await box.findByLabelText("Code from the SMS"), "123456");
    await userEvent.type(box.getByLabelText("New PIN"), "4071{Enter}");
    await waitFor(() =>
      expect(box.getByLabelText("Code from the SMS")).toHaveAccessibleDescription(/^This code is not right/),
    );
    expect(box.getByLabelText("New PIN")).toHaveValue("4071");
    await userEvent.click(box.getByRole("button", { name: "Back" }));
    expect(await box.findByLabelText("PIN")).toBeVisible();
    expect(state.orders).toHaveLength(1);
    expect(history.at(-1)).toBe("/");
  });

  it("is told in Kiswahili that it is locked, and how to go on", async () => {
    localStorage.setItem("jirani.language", "sw");
    document.documentElement.lang = "sw";
    const { routes } = bank();
    serve({ ...routes, "POST /api/v1/session/pin": () => refusal(403, "api.pin_locked", "Locked.") });
    void api.POST("/api/v1/me/orders", { body: { energy_wh: 1, pay_with: "balance" } } as never);
    const box = await dialog();
    expect(box.getByRole("heading", { name: "PIN yako" })).toBeVisible();
    await userEvent.type(box.getByLabelText("PIN"), "4071{Enter}");
    await waitFor(() =>
      expect(box.getByLabelText("PIN")).toHaveAccessibleDescription(/^Umekosea PIN mara nyingi/),
    );
    await userEvent.click(box.getByRole("button", { name: "Weka PIN mpya kwa nambari ya siri ya SMS" }));
    expect(box.getByLabelText("Nambari ya simu ya nyumba hii")).toHaveFocus();
  });
});
