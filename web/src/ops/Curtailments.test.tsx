import { fireEvent, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { show } from "../testing/render";
import { refusal, serve } from "../testing/server";
import { Curtailments } from "./Curtailments";

function fill() {
  const put = (label: string, value: string) =>
    fireEvent.change(screen.getByLabelText(label), { target: { value } });
  put("Household number", "2");
  put("When, in Nairobi", "2026-11-22T12:05");
  put("Estimate in kWh", "0.7");
  put("Reason", "grid_limit");
  put("Note", "253 V at noon");
}

describe("what was not produced", () => {
  it("is recorded once the form is whole, under one key however often it is sent", async () => {
    let answers = 0;
    const seen = serve({
      "POST /api/v1/operator/curtailments": async (request) => {
        expect(await request.clone().json()).toEqual({
          household_id: 2,
          at: "2026-11-22T09:05:00Z",
          energy_wh: 700,
          reason: "grid_limit",
          note: "253 V at noon",
        });
        answers += 1;
        return answers === 1
          ? refusal(503, "api.unavailable", "The database does not answer.")
          : Response.json({ number: 4 }, { status: 201 });
      },
    });
    show(<Curtailments />);
    const button = screen.getByRole("button", { name: "Record" });
    expect(button).toBeDisabled();
    fill();
    fireEvent.click(button);
    expect(await screen.findByText(/The database does not answer/)).toBeVisible();
    fireEvent.click(button);
    expect(await screen.findByText("Recorded as number 4.")).toBeVisible();
    const keys = seen.map((request) => request.headers.get("Idempotency-Key"));
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBeTruthy();
    expect(keys[1]).toBe(keys[0]);
    // Another wish has another key.
    fill();
    fireEvent.click(button);
    expect(await screen.findByText("Recorded as number 4.")).toBeVisible();
    expect(seen[2]?.headers.get("Idempotency-Key")).not.toBe(keys[0]);
  });
});
