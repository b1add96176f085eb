import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { show } from "../../testing/render";
import { serve } from "../../testing/server";
import { MeterPage } from "./MeterPage";
import type { Meter } from "./questions";
import { active, now } from "./samples";

const path = `/api/v1/operator/meters/${active.meter_id}`;
const routes = (meter: Meter) => ({
  "GET /api/v1/config": () => ({ slot_length_s: 900 }),
  "GET /api/v1/operator/meters": () => [meter],
  [`GET ${path}/history`]: () => ({
    events: [{ at: "2026-11-20T09:00:00Z", by: "Amina", code: "meter.claimed", detail: "for household 1" }],
    spans: [],
  }),
});
const names = () => screen.getAllByRole("button").map((button) => button.textContent);

describe("a meter", () => {
  it("tells everything that happened to it, with who and when", async () => {
    serve(routes({ ...active, refused: [{ code: "reading.replayed", count: 2 }] }));
    show(<MeterPage id={active.meter_id} now={now} />);
    expect(await screen.findByText("meter.claimed")).toBeVisible();
    expect(screen.getByText("20 Nov 2026, 12:00 · Amina")).toBeVisible();
    expect(screen.getByText(/Last 22 Nov 2026, 12:00, reading 13/)).toBeVisible();
    expect(screen.getByText("reading.replayed")).toBeVisible();
  });

  it("is asked only what its state allows", async () => {
    serve(routes(active));
    const first = show(<MeterPage id={active.meter_id} now={now} />);
    expect(await screen.findByRole("button", { name: "Take it out of service" })).toBeVisible();
    expect(names()).not.toContain("Ask to lift its hold");
    expect(names()).not.toContain("Ask it to prove its key");
    first.unmount();
    serve(routes({ ...active, state: "claimed" }));
    show(<MeterPage id={active.meter_id} now={now} />);
    expect(await screen.findByRole("button", { name: "Ask it to prove its key" })).toBeVisible();
    expect(names()).not.toContain("Take it out of service");
  });

  it("goes out of service only with a reason, after a warning", async () => {
    const seen = serve({ ...routes(active), [`POST ${path}/retire`]: () => active });
    show(<MeterPage id={active.meter_id} now={now} />);
    await userEvent.click(await screen.findByRole("button", { name: "Take it out of service" }));
    expect(screen.getByText(/cannot be undone/)).toBeVisible();
    const yes = screen.getByRole("button", { name: "Yes: take it out of service" });
    expect(yes).toBeDisabled();
    await userEvent.type(screen.getByLabelText("Why"), "it burned");
    await userEvent.click(yes);
    await waitFor(() => expect(seen.some(({ method }) => method === "POST")).toBe(true));
    expect(await seen.find(({ method }) => method === "POST")?.json()).toEqual({ reason: "it burned" });
  });

  it("begins a later epoch with whole registers or none", async () => {
    const seen = serve({ ...routes(active), [`POST ${path}/epoch`]: () => active });
    show(<MeterPage id={active.meter_id} now={now} />);
    await userEvent.click(
      await screen.findByRole("button", { name: "Ask for a new epoch of its registers" }),
    );
    const yes = screen.getByRole("button", { name: "Yes: ask for a new epoch of its registers" });
    await userEvent.type(screen.getByLabelText("Why"), "registers were reset");
    const epoch = screen.getByLabelText("New epoch");
    await userEvent.clear(epoch);
    await userEvent.type(epoch, "1");
    expect(yes).toBeDisabled();
    await userEvent.clear(epoch);
    await userEvent.type(epoch, "2");
    await userEvent.type(screen.getByLabelText("Taken in, Wh"), "5");
    expect(yes).toBeDisabled();
    await userEvent.type(screen.getByLabelText("Given out, Wh"), "6");
    await userEvent.type(screen.getByLabelText("Made, Wh"), "7");
    await userEvent.click(yes);
    await waitFor(() => expect(seen.some(({ method }) => method === "POST")).toBe(true));
    expect(await seen.find(({ method }) => method === "POST")?.json()).toEqual({
      epoch: 2,
      opening: { import_wh: 5, export_wh: 6, generation_wh: 7 },
      reason: "registers were reset",
    });
  });

  it("that nobody knows is said to be unknown", async () => {
    serve(routes(active));
    show(<MeterPage id="ff" now={now} />);
    expect(await screen.findByText("No such meter is known here.")).toBeVisible();
  });
});
