import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { show } from "../testing/render";
import { refusal, serve } from "../testing/server";
import { choicesFor } from "./decisions";
import { ReviewDesk } from "./ReviewDesk";

const review = {
  key: "receipt/UJ32ABCDEF/suspense",
  code: "suspense",
  detail: "KSh 50.00 came in, and nobody can say from which household",
  opened_at: "2026-10-03T10:00:00Z",
  proposal: null,
};
const proposal = {
  number: 7,
  review: review.key,
  text: "UJ32ABCDEF belongs to household 4",
  note: "she showed her message",
  proposed_by: "Amina",
  proposed_at: "2026-10-03T11:00:00Z",
  state: "proposed",
  decided_by: null,
  decided_at: null,
};

describe("the review desk", () => {
  it("proposes only a whole decision with a reason", async () => {
    let proposed = false;
    serve({
      "GET /api/v1/operator/reviews": () => [proposed ? { ...review, proposal } : review],
      "POST /api/v1/operator/reviews/propose": async (request) => {
        expect(await request.clone().json()).toEqual({
          review: review.key,
          decision: { kind: "attach", receipt: "UJ32ABCDEF", household_id: 4 },
          note: "she showed her message",
        });
        proposed = true;
        return proposal;
      },
    });
    show(<ReviewDesk />);
    const button = await screen.findByRole("button", { name: "Propose" });
    expect(button).toBeDisabled();
    await userEvent.type(screen.getByLabelText("Household number"), "4");
    expect(button).toBeDisabled();
    await userEvent.type(screen.getByLabelText("Why"), "she showed her message");
    await userEvent.click(button);
    expect(await screen.findByText("Amina")).toBeVisible();
    expect(screen.getByRole("button", { name: "Approve" })).toBeEnabled();
  });

  it("says why who proposed may not approve", async () => {
    const message = "another operator must approve what you proposed";
    serve({
      "GET /api/v1/operator/reviews": () => [{ ...review, proposal }],
      "POST /api/v1/operator/reviews/proposals/7/approve": () => refusal(409, "review.same_person", message),
    });
    show(<ReviewDesk />);
    await userEvent.click(await screen.findByRole("button", { name: "Approve" }));
    expect(await screen.findByRole("alert")).toHaveTextContent(message);
  });

  it("is empty when nothing waits", async () => {
    serve({ "GET /api/v1/operator/reviews": () => [] });
    show(<ReviewDesk />);
    expect(await screen.findByText("Nothing waits for a person.")).toBeVisible();
  });
});

describe("choices", () => {
  const of = (key: string, code: string) => choicesFor({ ...review, key, code });
  it("are about what the review is about", () => {
    const payout = of("payout/9/unknown", "unknown_outcome");
    expect(payout.map((choice) => choice.id)).toEqual(["payout_paid", "payout_failed"]);
    expect(payout[0]?.decide("uj32abcdef")).toEqual({
      kind: "payout_paid",
      payout_id: 9,
      receipt: "UJ32ABCDEF",
    });
    expect(payout[0]?.decide("?")).toBeNull();
    const theirs = of("books/payout/UJ32ABCDEF/money", "only_theirs");
    expect(theirs[1]?.decide("1,200.50")).toEqual({
      kind: "book_deposit",
      receipt: "UJ32ABCDEF",
      shortcode: "payout",
      amount_cents: 120_050,
    });
    expect(theirs[1]?.decide("0")).toBeNull();
    const row = of("books/payout/row-12/money", "only_ours");
    expect(row[0]?.decide("")).toEqual({ kind: "correct", sequence: 12 });
  });
});
