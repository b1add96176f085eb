import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { show } from "../testing/render";
import { refusal, serve } from "../testing/server";
import { Reconciliation } from "./Reconciliation";

const none = { count: 0, amount_cents: 0 };
const ages = ["hour", "day", "week", "older"].map((age) => ({ age, ...none }));
const group = { total: none, ages, lines: [] };
const summary = {
  number: 3,
  made_at: "2026-10-03T10:00:00Z",
  source: "on_demand",
  from: "2026-10-01T10:00:00Z",
  until: "2026-10-03T10:00:00Z",
  apart: 1,
  difference_cents: 5_000,
};
const found = {
  summary,
  matched: { count: 41, amount_cents: 820_000 },
  only_ours: group,
  only_theirs: {
    total: { count: 1, amount_cents: 5_000 },
    ages,
    lines: [
      {
        account: "collection",
        kind: "deposit",
        receipt: "UJ32ABCDEF",
        sequence: null,
        about: "",
        ours_cents: null,
        theirs_cents: 5_000,
        at: "2026-10-02T10:00:00Z",
      },
    ],
  },
  different: group,
  books: [
    {
      accounts: ["collection"],
      scope: "payments",
      ours: { opening_cents: 0, movements_cents: 820_000, closing_cents: 820_000 },
      theirs: { opening_cents: 0, movements_cents: 825_000, closing_cents: 825_000 },
      difference_cents: 5_000,
      explained_cents: 5_000,
      unexplained_cents: 0,
    },
  ],
};

describe("the reconciliation", () => {
  it("shows the groups, and balances that add up", async () => {
    let compared = false;
    serve({
      "GET /api/v1/operator/reconciliation": () => (compared ? [summary] : []),
      "POST /api/v1/operator/reconciliation": () => {
        compared = true;
        return found;
      },
      "GET /api/v1/operator/reconciliation/3": () => found,
    });
    show(<Reconciliation />);
    expect(await screen.findByText("Nothing was compared yet.")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Compare now" }));
    expect(await screen.findByText(/1 lines? stand apart/)).toBeVisible();
    expect(screen.getByText("UJ32ABCDEF")).toBeVisible();
    expect(screen.getByText("KSh 8,250.00")).toBeVisible();
  });

  it("sends the portal's file as it is, for the account that was picked", async () => {
    const seen = serve({
      "GET /api/v1/operator/reconciliation": () => [],
      "POST /api/v1/operator/reconciliation/statement": () =>
        refusal(400, "statement.no_columns", "No line names the columns."),
    });
    show(<Reconciliation />);
    await userEvent.selectOptions(await screen.findByLabelText("Statement of"), "all");
    const file = new File(["Receipt No.,Paid In\n"], "statement.csv", { type: "text/csv" });
    await userEvent.upload(screen.getByLabelText("CSV file of the portal"), file);
    expect(await screen.findByRole("alert")).toHaveTextContent("No line names the columns.");
    const sent = seen.find((request) => request.method === "POST");
    const url = new URL(sent?.url ?? "");
    expect(url.searchParams.get("account")).toBe("payout");
    expect(url.searchParams.get("with_charges")).toBe("true");
    expect(sent?.headers.get("Content-Type")).toBe("text/csv");
    expect(await sent?.text()).toBe("Receipt No.,Paid In\n");
  });
});
