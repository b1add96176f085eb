import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { show } from "../../testing/render";
import { serve } from "../../testing/server";
import { HistoryScreen } from "./HistoryScreen";
import { movements } from "./samples";

beforeEach(() => localStorage.clear());

const rows = () => screen.getAllByRole("link", { name: "Proof" }).length;

describe("the history", () => {
  it("finds a payment by a part of its M-Pesa code, however it is written", async () => {
    serve({ "GET /api/v1/me/movements": () => movements });
    show(<HistoryScreen />);
    const code = await screen.findByLabelText("M-Pesa code");
    expect(rows()).toBe(4);
    await userEvent.type(code, "uj3 2ab");
    expect(rows()).toBe(1);
    expect(screen.getByText("M-Pesa UJ32ABCDEF")).toBeVisible();
    await userEvent.type(code, "zz");
    expect(screen.getByText(/Nothing here fits/)).toBeVisible();
  });

  it("shows one sort of movement alone, and all of them again", async () => {
    serve({ "GET /api/v1/me/movements": () => movements });
    show(<HistoryScreen />);
    const sort = await screen.findByLabelText("Show");
    await userEvent.selectOptions(sort, "From the meter");
    const list = within(screen.getByText("22 Nov 2026").parentElement as HTMLElement);
    expect(list.getAllByRole("listitem")).toHaveLength(1);
    await userEvent.selectOptions(sort, "Money");
    expect(rows()).toBe(1);
    await userEvent.selectOptions(sort, "Everything");
    expect(rows()).toBe(4);
  });

  it("asks nobody to search where nothing has happened", async () => {
    serve({ "GET /api/v1/me/movements": () => [] });
    show(<HistoryScreen />);
    expect(await screen.findByText("Nothing has happened yet")).toBeVisible();
    expect(screen.queryByLabelText("M-Pesa code")).toBeNull();
  });
});
