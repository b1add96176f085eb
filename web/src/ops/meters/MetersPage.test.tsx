import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { show } from "../../testing/render";
import { refusal, serve } from "../../testing/server";
import { MetersPage } from "./MetersPage";
import type { Meter } from "./questions";
import { active, answered, now } from "./samples";

const rest = {
  "GET /api/v1/config": () => ({ slot_length_s: 900 }),
  "GET /api/v1/operator/evidence": () => ({
    head: "ab".repeat(32),
    readings: 168,
    segments: [
      { number: 1, first: 1, readings: 168, size_bytes: 31_760, hash: "cd".repeat(32), sealed_at: null },
    ],
  }),
  "GET /api/v1/operator/refusals": () => [{ meter_id: null, code: "reading.bad_signature", count: 4 }],
};
const approve = `POST /api/v1/operator/meters/${answered.meter_id}/approve`;

describe("the meters", () => {
  it("stand in a list with their state and when they were heard, and can be narrowed down", async () => {
    const silent: Meter = { ...active, meter_id: "b".repeat(32), last_seen: "2026-11-22T08:00:00Z" };
    const held: Meter = { ...active, meter_id: "c".repeat(32), held: "epoch.fell" };
    serve({ ...rest, "GET /api/v1/operator/meters": () => [active, silent, held] });
    show(<MetersPage now={now} />);
    const row = (await screen.findByRole("link", { name: "bbbbbbbb…" })).closest("tr") as HTMLElement;
    await waitFor(() => expect(row).toHaveTextContent("22 Nov 2026, 11:00 · silent"));
    const heard = screen.getByRole("link", { name: "369ecac5…" });
    expect(heard.closest("tr")).not.toHaveTextContent("silent");
    await userEvent.selectOptions(screen.getByLabelText("Show"), "Held");
    expect(screen.queryByRole("link", { name: "bbbbbbbb…" })).toBeNull();
    expect(screen.getByRole("link", { name: "cccccccc…" }).closest("tr")).toHaveTextContent("epoch.fell");
    expect(screen.getByText("reading.bad_signature")).toBeVisible();
    expect(screen.getByText("ab".repeat(32))).toBeVisible();
  });

  it("are approved with what is approved in sight and the revision that was read", async () => {
    const seen = serve({
      ...rest,
      "GET /api/v1/operator/meters": () => [active, answered],
      [approve]: () => ({ ...answered, state: "approved" }),
    });
    show(<MetersPage now={now} />);
    const desk = within(await screen.findByRole("region", { name: "Meter e77f8084…" }));
    expect(desk.getByText(answered.meter_key)).toBeVisible();
    expect(desk.getByText(/claimed by Amina/)).toBeVisible();
    await userEvent.click(desk.getByRole("button", { name: "Approve" }));
    await waitFor(() => expect(seen.some(({ method }) => method === "POST")).toBe(true));
    expect(await seen.find(({ method }) => method === "POST")?.json()).toEqual({ revision: 7 });
  });

  it("are not approved once somebody changed them, until the change was looked at", async () => {
    let current = answered;
    const bodies: unknown[] = [];
    serve({
      ...rest,
      "GET /api/v1/operator/meters": () => [current],
      [approve]: async (request) => {
        bodies.push(await request.json());
        if (bodies.length > 1) return { ...current, state: "approved" };
        current = { ...answered, revision: 8, household_id: 5 };
        return refusal(409, "meter.changed", "Somebody else has just changed this; look again.");
      },
    });
    show(<MetersPage now={now} />);
    const desk = within(await screen.findByRole("region", { name: "Meter e77f8084…" }));
    await userEvent.click(desk.getByRole("button", { name: "Approve" }));
    expect(await desk.findByRole("alert")).toHaveTextContent("Nothing was approved.");
    expect(desk.queryByRole("button", { name: "Approve" })).toBeNull();
    const look = desk.getByRole("button", { name: "Show how it is now" });
    await waitFor(() => expect(look).toBeEnabled());
    await userEvent.click(look);
    expect(desk.getByText(/A new meter for household 5/)).toBeVisible();
    await userEvent.click(desk.getByRole("button", { name: "Approve" }));
    await waitFor(() => expect(bodies).toEqual([{ revision: 7 }, { revision: 8 }]));
  });

  it("are rejected only with a reason", async () => {
    const seen = serve({
      ...rest,
      "GET /api/v1/operator/meters": () => [answered],
      [`POST /api/v1/operator/meters/${answered.meter_id}/reject`]: () => answered,
    });
    show(<MetersPage now={now} />);
    const desk = within(await screen.findByRole("region", { name: "Meter e77f8084…" }));
    expect(desk.getByRole("button", { name: "Reject" })).toBeDisabled();
    await userEvent.type(desk.getByLabelText("Why not"), "wrong house");
    await userEvent.click(desk.getByRole("button", { name: "Reject" }));
    await waitFor(() => expect(seen.some(({ method }) => method === "POST")).toBe(true));
    expect(await seen.find(({ method }) => method === "POST")?.json()).toEqual({ reason: "wrong house" });
  });

  it("are claimed for a new household, and what is typed into them is shown once", async () => {
    const seen = serve({
      ...rest,
      "GET /api/v1/operator/meters": () => [active],
      "POST /api/v1/operator/meters/claim": () => ({
        meter: { ...answered, state: "claimed" },
        broker_password: "s3cret",
        gateway_key: "ef".repeat(32),
      }),
    });
    show(<MetersPage now={now} />);
    await userEvent.click(await screen.findByRole("radio", { name: "a new household" }));
    const typed: [string, string][] = [
      ["Name", "Wanjiru's house"],
      ["What neighbours see", "Mparachichi"],
      ["Phone, if any", "0712 345 678"],
      ["Panels, W", "2000"],
      ["Most out, W", "2000"],
      ["Most in, W", "5000"],
      ["Text of its QR code", "jirani:abc"],
      ["Taken in, Wh", "120"],
    ];
    for (const [label, value] of typed) fireEvent.change(screen.getByLabelText(label), { target: { value } });
    const claim = screen.getByRole("button", { name: "Claim" });
    // Registers are whole or not said at all.
    expect(claim).toBeDisabled();
    await userEvent.type(screen.getByLabelText("Given out, Wh"), "0");
    await userEvent.type(screen.getByLabelText("Made, Wh"), "0");
    await userEvent.click(claim);
    expect(await screen.findByText("s3cret")).toBeVisible();
    expect(await seen.find(({ method }) => method === "POST")?.json()).toEqual({
      home: {
        name: "Wanjiru's house",
        alias: "Mparachichi",
        feeder: 1,
        msisdn: "254712345678",
        pv_rated_w: 2_000,
        export_rating_w: 2_000,
        import_rating_w: 5_000,
        swahili: true,
      },
      meter: { identity: "jirani:abc", opening: { import_wh: 120, export_wh: 0, generation_wh: 0 } },
    });
  });

  it("run any firmware only when that was said", async () => {
    const seen = serve({
      ...rest,
      "GET /api/v1/operator/meters": () => [],
      "POST /api/v1/operator/meters/firmware": async (request) => request.clone().json(),
    });
    show(<MetersPage now={now} />);
    const images = await screen.findByLabelText("Images that may run");
    expect(screen.getByRole("button", { name: /Allow only/ })).toBeDisabled();
    await userEvent.type(images, "0123456789ABCDEF");
    await userEvent.click(screen.getByRole("button", { name: "Allow only these 1" }));
    expect(await screen.findByText("These may run: 0123456789abcdef")).toBeVisible();
    await userEvent.clear(images);
    await userEvent.click(screen.getByRole("checkbox", { name: "Every image may run" }));
    await userEvent.click(screen.getByRole("button", { name: "Allow all" }));
    expect(await screen.findByText("Every image may run.")).toBeVisible();
    expect(seen.filter(({ method }) => method === "POST")).toHaveLength(2);
  });
});
