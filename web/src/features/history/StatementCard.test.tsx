import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { show } from "../../testing/render";
import { serve } from "../../testing/server";
import { StatementCard } from "./StatementCard";

beforeEach(() => localStorage.clear());

describe("the statement", () => {
  it("offers the village's month, not the phone's, and any of the year before", async () => {
    // Nairobi is three hours ahead: there it is November already.
    serve({ "GET /api/v1/config": () => ({ now: "2026-10-31T21:30:00Z" }) });
    show(<StatementCard />);
    const pdf = await screen.findByRole("link", { name: "Download PDF" });
    expect(pdf).toHaveAttribute("href", "/api/v1/me/statement?period=2026-11&format=pdf&language=en");
    await userEvent.selectOptions(screen.getByLabelText("Month"), "2025-12");
    expect(screen.getByRole("link", { name: "Download table (CSV)" })).toHaveAttribute(
      "href",
      "/api/v1/me/statement?period=2025-12&format=csv&language=en",
    );
  });

  it("speaks Kiswahili, and so does the document", async () => {
    localStorage.setItem("jirani.language", "sw");
    serve({ "GET /api/v1/config": () => ({ now: "2026-10-31T20:30:00Z" }) });
    show(<StatementCard />);
    expect(await screen.findByRole("link", { name: "Pakua PDF" })).toHaveAttribute(
      "href",
      "/api/v1/me/statement?period=2026-10&format=pdf&language=sw",
    );
  });
});
