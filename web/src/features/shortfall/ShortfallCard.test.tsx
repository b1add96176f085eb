import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { show } from "../../testing/render";
import { serve } from "../../testing/server";
import { ShortfallCard } from "./ShortfallCard";

const standing = {
  household_id: 1,
  alias: "Nyumba 1",
  shortfall_wh: 3_200,
  owed_cents: 11_200,
  available_cents: 0,
  exposure_cents: 11_200,
  limit_cents: 50_000,
  emergency_owed_cents: 0,
  protection: "none",
  protected_until: null,
  relay: "closed",
  disputed: null as number | null,
  attested_through: null,
};
const step = {
  number: 1,
  at: "2026-11-23T09:00:00Z",
  text: "",
  en: "You owe KSh 250.00: 50 % of your limit.",
  sw: "Unadaiwa KSh 250.00.",
  note: "",
};

beforeEach(() => localStorage.clear());

describe("what is owed", () => {
  it("says energy, money and limit, and sends a dispute with its words", async () => {
    let sent: unknown = null;
    serve({
      "GET /api/v1/me/shortfall": () => ({
        standing: { ...standing, disputed: sent ? 1 : null },
        steps: [step],
      }),
      "POST /api/v1/me/shortfall/disputes": async (request) => {
        sent = await request.json();
        return { standing, steps: [step] };
      },
    });
    show(<ShortfallCard />);
    expect(await screen.findByTestId("standing")).toHaveTextContent(
      "You owe 3.20 kWh, KSh 112.00 of your limit of KSh 500.00",
    );
    // Far from the limit there is nothing to ask for.
    expect(screen.queryByRole("button", { name: /emergency/i })).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: "Dispute" }));
    await userEvent.type(screen.getByLabelText("What is wrong?"), "my meter is broken");
    await userEvent.click(screen.getByRole("button", { name: "Send" }));
    expect(await screen.findByText("disputed")).toBeVisible();
    expect(sent).toEqual({ number: 1, note: "my meter is broken" });
  });

  it("says what instalments are left of old debt", async () => {
    const instalments = {
      set_aside_wh: 2_000,
      owed_cents: 8_000,
      each_cents: 4_000,
      every_days: 7,
      next_due: "2026-11-30T09:00:00Z",
      missed: 0,
    };
    serve({
      "GET /api/v1/me/shortfall": () => ({ standing: { ...standing, instalments }, steps: [] }),
    });
    show(<ShortfallCard />);
    expect(await screen.findByText(/KSh 40.00 on .*, KSh 80.00 left/)).toBeVisible();
  });

  it("offers emergency credit near the limit, in Kiswahili too", async () => {
    localStorage.setItem("jirani.language", "sw");
    const near = { ...standing, exposure_cents: 45_000, owed_cents: 45_000, shortfall_wh: 12_857 };
    const seen = serve({
      "GET /api/v1/me/shortfall": () => ({ standing: near, steps: [step] }),
      "POST /api/v1/me/shortfall/emergency": () => ({ standing: near, steps: [step] }),
    });
    show(<ShortfallCard />);
    expect(await screen.findByText("Unadaiwa KSh 250.00.")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Omba salio la dharura" }));
    expect(seen.some((request) => request.url.endsWith("/api/v1/me/shortfall/emergency"))).toBe(true);
  });
});
