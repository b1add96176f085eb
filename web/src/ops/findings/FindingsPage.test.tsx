import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { show } from "../../testing/render";
import { refusal, serve } from "../../testing/server";
import { FindingsPage } from "./FindingsPage";

const finding = {
  number: 12,
  household_id: 4,
  meter_id: "369ecac565891473309b18467f3051bc",
  feeder: 1,
  from: "2026-11-22T21:00:00Z",
  until: "2026-11-23T21:00:00Z",
  rule: "night",
  code: "plausibility.night",
  severity: "hold",
  evidence: { made_wh: 1_200, silent_hours: 11 },
  state: "open",
  holds: true,
  found_at: "2026-11-23T21:16:03Z",
  decided_by: null,
  decided_at: null,
  note: null,
};

describe("the findings", () => {
  it("show what they rest on, and are decided only with a reason", async () => {
    let list = [finding];
    const seen = serve({
      "GET /api/v1/operator/findings": () => ({ findings: list, next_before: null }),
      "POST /api/v1/operator/findings/12/decide": () => {
        list = [];
        return { ...finding, state: "accepted" };
      },
    });
    show(<FindingsPage />);
    const card = within(await screen.findByRole("article", { name: "Finding 12" }));
    expect(card.getByText("made wh").parentElement).toHaveTextContent("1200");
    expect(card.getByText(/its attestation waits/)).toBeVisible();
    const accept = card.getByRole("button", { name: /^Accept/ });
    expect(accept).toBeDisabled();
    await userEvent.type(card.getByLabelText("Why"), "a lamp by the panel");
    await userEvent.click(accept);
    expect(await screen.findByText("Nothing waits for a person.")).toBeVisible();
    const post = seen.find(({ method }) => method === "POST");
    expect(await post?.json()).toEqual({ decision: "accept", note: "a lamp by the panel" });
  });

  it("that only remark hold nothing, and do not say that they would", async () => {
    const remark = { ...finding, severity: "note", holds: false };
    serve({ "GET /api/v1/operator/findings": () => ({ findings: [remark], next_before: null }) });
    show(<FindingsPage />);
    expect(await screen.findByRole("button", { name: "Refuse: it is true" })).toBeVisible();
    expect(screen.getByRole("button", { name: "Accept: it is harmless" })).toBeVisible();
    expect(screen.queryByText(/held/)).toBeNull();
  });

  it("that somebody else decided meanwhile say so", async () => {
    const message = "Somebody has decided about this finding. Look at it again.";
    serve({
      "GET /api/v1/operator/findings": () => ({ findings: [finding], next_before: null }),
      "POST /api/v1/operator/findings/12/decide": () => refusal(409, "finding.decided", message),
    });
    show(<FindingsPage />);
    await userEvent.type(await screen.findByLabelText("Why"), "seen");
    await userEvent.click(screen.getByRole("button", { name: /^Refuse/ }));
    expect(await screen.findByRole("alert")).toHaveTextContent(message);
  });

  it("are listed with decisions when asked for, page after page", async () => {
    const closable = {
      ...finding,
      state: "refused",
      decided_by: "Amina",
      decided_at: finding.found_at,
      note: "broken",
    };
    const asked: string[] = [];
    serve({
      "GET /api/v1/operator/findings": (request) => {
        const { search } = new URL(request.url);
        asked.push(search);
        return search.includes("before=12")
          ? { findings: [{ ...finding, number: 11, state: "closed" }], next_before: null }
          : { findings: [closable], next_before: 12 };
      },
    });
    show(<FindingsPage />, "/findings");
    await userEvent.click(await screen.findByRole("button", { name: "Show all" }));
    await waitFor(() => expect(asked.at(-1)).toContain("open=false"));
    expect(await screen.findByText(/refused by Amina.*: broken/)).toBeVisible();
    expect(screen.getByRole("button", { name: /^Close/ })).toBeVisible();
    expect(screen.queryByRole("button", { name: /^Accept/ })).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: "Older" }));
    expect(await screen.findByRole("article", { name: "Finding 11" })).toBeVisible();
  });
});
