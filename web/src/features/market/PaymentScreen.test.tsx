import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { show } from "../../testing/render";
import { serve } from "../../testing/server";
import { PaymentScreen } from "./PaymentScreen";

const order = {
  id: 17,
  state: "awaiting_payment",
  energy_wh: 1_500,
  due_cents: 3_001,
  collect_cents: 3_100,
  pay_with: "mpesa",
  fills: [],
  deadline: "2026-11-22T09:05:00Z",
  receipt: null,
  release_reason: null,
  refusal: null,
  payment: { state: "prompt", code: null },
  placed_signature: "5sig",
  final_signature: null,
  created_at: "2026-11-22T09:03:00Z",
  final_at: null,
};

beforeEach(() => localStorage.clear());

describe("payment", () => {
  it.each([
    ["awaiting_payment", "prompt", "Enter your M-Pesa PIN on your phone"],
    [
      "receipt_awaited",
      "receipt_awaited",
      "M-Pesa says you paid, the receipt is on its way. Do not pay again.",
    ],
    ["awaiting_payment", "unknown", "We do not know yet. Do not pay again."],
    ["settled", "paid", "Paid and delivered"],
    ["released", "refused", "Not paid. Nothing was taken; your neighbours have their energy back."],
  ])("%s with payment %s tells: %s", async (state, payment, sentence) => {
    serve({
      "GET /api/v1/me/orders/17": () => ({ ...order, state, payment: { state: payment, code: null } }),
      "GET /api/v1/config": () => ({ phones_url: null }),
    });
    show(<PaymentScreen id={17} />);
    expect(await screen.findByText(sentence)).toHaveAttribute("role", "status");
  });

  it("does not let anybody pay twice while the server is out of reach, and looks again when told to", async () => {
    let dead = false;
    serve({
      "GET /api/v1/me/orders/17": () => {
        if (dead) throw new TypeError("Failed to fetch");
        return order;
      },
      "GET /api/v1/config": () => ({ phones_url: null }),
    });
    show(<PaymentScreen id={17} />);
    await screen.findByText("Enter your M-Pesa PIN on your phone");
    dead = true;
    await userEvent.click(screen.getByRole("button", { name: "Look again" }));
    expect(await screen.findByText(/If you paid, do not pay again/)).toHaveAttribute("role", "status");
    dead = false;
    await userEvent.click(screen.getByRole("button", { name: "Look again" }));
    expect(await screen.findByText("Enter your M-Pesa PIN on your phone")).toBeVisible();
  });

  it("shows the receipt and the chain's record once delivered", async () => {
    serve({
      "GET /api/v1/me/orders/17": () => ({
        ...order,
        state: "settled",
        receipt: "UJ32ABCDEF",
        final_signature: "4xYz",
      }),
      "GET /api/v1/config": () => ({ phones_url: null }),
    });
    show(<PaymentScreen id={17} />);
    expect(await screen.findByText("UJ32ABCDEF")).toBeVisible();
    expect(screen.getByTestId("signature")).toHaveTextContent("4xYz");
  });
});
