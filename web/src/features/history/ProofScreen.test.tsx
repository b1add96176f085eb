import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { show } from "../../testing/render";
import { serve } from "../../testing/server";
import { ProofScreen } from "./ProofScreen";
import { movements, signature } from "./samples";

const explorer_url = "https://explorer.solana.com/tx/{signature}?cluster=devnet";
const order = {
  id: 17,
  fills: [{ offer_id: 3, seller_alias: "Mvule", energy_wh: 700, price_cents_per_kwh: 2_700 }],
  placed_signature: "4".repeat(88),
  final_signature: signature as string | null,
};
const routes = (said: object, explorer: string | null) => ({
  "GET /api/v1/me/movements": () => movements,
  "GET /api/v1/me/orders/17": () => ({ ...order, ...said }),
  "GET /api/v1/config": () => ({ cluster: { name: "devnet", explorer_url: explorer } }),
});

beforeEach(() => localStorage.clear());

describe("the proof of a movement", () => {
  it("names what moved, from whom, the receipt, and both signatures with a way to see them elsewhere", async () => {
    serve(routes({}, explorer_url));
    show(<ProofScreen id="order/17" />);
    expect(await screen.findByText("Mvule")).toBeVisible();
    expect(screen.getByText("KSh 27.00 per kWh to the neighbour")).toBeVisible();
    expect(screen.getByText("UJ32ABCDEF")).toBeVisible();
    expect(screen.getByText("-KSh 21.00")).toBeVisible();
    expect(screen.getByText(order.placed_signature)).toBeVisible();
    expect(screen.getByTestId("on-chain")).toHaveTextContent("Nobody can change it any more");
    const links = await screen.findAllByRole("link", { name: /explorer/ });
    expect(links.map((link) => link.getAttribute("href"))).toEqual([
      explorer_url.replace("{signature}", order.placed_signature),
      explorer_url.replace("{signature}", signature),
    ]);
    expect(links[0]).toHaveAttribute("rel", "noopener noreferrer");
  });

  it("claims no end on the chain before there is one, and no explorer where there is none", async () => {
    serve(routes({ final_signature: null }, null));
    show(<ProofScreen id="order/17" />);
    expect(await screen.findByTestId("on-chain")).toHaveTextContent("Not on the chain yet");
    expect(await screen.findByText("Chain: devnet")).toBeVisible();
    expect(screen.queryByRole("link", { name: /explorer/ })).toBeNull();
  });

  it("says of energy that is not attested yet that it is not, and of money that it never will be", async () => {
    serve(routes({}, explorer_url));
    const first = show(<ProofScreen id="day/2026-11-22/minted" />);
    expect(await screen.findByTestId("on-chain")).toHaveTextContent("Not on the chain yet");
    first.unmount();
    show(<ProofScreen id="payout/4" />);
    expect(await screen.findByTestId("on-chain")).toHaveTextContent("This is money only");
  });

  it("puts the signature where it can be pasted", async () => {
    const user = userEvent.setup();
    serve(routes({}, null));
    show(<ProofScreen id="sale/9/3" />);
    await user.click(await screen.findByRole("button", { name: "Copy" }));
    expect(await screen.findByText("Copied")).toBeVisible();
    expect(await navigator.clipboard.readText()).toBe(signature);
  });

  it("hides amounts where they are hidden, in Kiswahili, too, and knows what it does not know", async () => {
    localStorage.setItem("jirani.language", "sw");
    localStorage.setItem("jirani.hidden", "yes");
    serve(routes({}, null));
    const first = show(<ProofScreen id="payout/4" />);
    expect(await screen.findByText("•••••")).toBeVisible();
    expect(screen.queryByText(/KSh 10/)).toBeNull();
    first.unmount();
    show(<ProofScreen id="order/1" />);
    expect(await screen.findByText("Shughuli hii haiko kati ya 100 zako za mwisho.")).toBeVisible();
  });
});
