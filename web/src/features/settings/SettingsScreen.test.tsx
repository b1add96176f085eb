import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { savesData } from "../../lib/choices";
import { show } from "../../testing/render";
import { refusal, serve } from "../../testing/server";
import { SettingsScreen } from "./SettingsScreen";

const device = (id: string, name: string | null, this_one: boolean) => ({
  id,
  name,
  this_one,
  created_at: "2026-11-22T09:00:00Z",
  expires_at: "2026-11-22T21:00:00Z",
});

beforeEach(() => localStorage.clear());

describe("settings", () => {
  it("change the language of the screen at once, and keep it", async () => {
    serve({});
    show(<SettingsScreen />);
    await userEvent.click(screen.getByRole("radio", { name: "Kiswahili" }));
    expect(await screen.findByRole("heading", { name: "Mipangilio" })).toBeVisible();
    expect(localStorage.getItem("jirani.language")).toBe("sw");
  });

  it("tell whoever draws the page of a theme and a size of text", async () => {
    serve({});
    show(<SettingsScreen />);
    expect(screen.getByRole("radio", { name: "As the phone" })).toBeChecked();
    let told = 0;
    const count = () => {
      told += 1;
    };
    window.addEventListener("jirani-chosen", count);
    await userEvent.click(screen.getByRole("radio", { name: "Dark" }));
    await userEvent.click(screen.getByRole("radio", { name: "Larger" }));
    window.removeEventListener("jirani-chosen", count);
    expect(told).toBe(2);
    expect(screen.getByRole("radio", { name: "Dark" })).toBeChecked();
    expect(localStorage.getItem("jirani.theme")).toBe("dark");
    expect(localStorage.getItem("jirani.text")).toBe("larger");
  });

  it("save data and hide amounts until they are told otherwise", async () => {
    serve({});
    show(<SettingsScreen />);
    const saver = screen.getByRole("checkbox", { name: "Save data" });
    await userEvent.click(saver);
    await userEvent.click(screen.getByRole("checkbox", { name: "Hide amounts of money" }));
    expect(savesData()).toBe("yes");
    expect(localStorage.getItem("jirani.hidden")).toBe("yes");
    await userEvent.click(saver);
    expect(savesData()).toBe("no");
  });

  it("sign out one device, and all others, and never offer to end the one in hand", async () => {
    let all = [
      device("a", "Chrome, Android", true),
      device("b", "Opera, Android", false),
      device("c", null, false),
    ];
    const seen = serve({
      "GET /api/v1/me/devices": () => all,
      "DELETE /api/v1/me/devices/b": () => {
        all = all.filter(({ id }) => id !== "b");
        return new Response(null, { status: 204 });
      },
      "DELETE /api/v1/me/devices": () => {
        all = all.filter(({ this_one }) => this_one);
        return new Response(null, { status: 204 });
      },
    });
    show(<SettingsScreen />);
    const here = (await screen.findByText("Chrome, Android (this device)")).closest("li");
    expect(within(here as HTMLElement).queryByRole("button")).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: "Sign out Opera, Android" }));
    await waitFor(() => expect(screen.queryByText("Opera, Android")).toBeNull());
    expect(screen.getByText("A device without a name")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Sign out all others" }));
    expect(await screen.findByText("You are signed in on this device only.")).toBeVisible();
    expect(seen.filter(({ method }) => method === "DELETE")).toHaveLength(2);
  });

  it("say what went wrong with the devices, and stay of use", async () => {
    serve({ "GET /api/v1/me/devices": () => refusal(403, "api.forbidden", "Not with this session.") });
    show(<SettingsScreen />);
    expect(await screen.findByRole("alert")).toHaveTextContent("Not with this session.");
    expect(screen.getByRole("radio", { name: "Kiswahili" })).toBeVisible();
  });

  it("change the PIN against the old one, or lead to a code when there is none", async () => {
    let has = true;
    const seen = serve({
      "POST /api/v1/me/pin": () =>
        has
          ? new Response(null, { status: 204 })
          : refusal(409, "api.pin_not_set", "You have no PIN yet. Set one with a code sent to your phone."),
    });
    show(<SettingsScreen />);
    const change = async () => {
      await userEvent.click(screen.getByRole("button", { name: "Set or change my PIN" }));
      await userEvent.click(screen.getByRole("radio", { name: "With my PIN as it is" }));
      await userEvent.type(screen.getByLabelText("PIN as it is"), "4071");
      await userEvent.type(screen.getByLabelText("New PIN"), "90210{Enter}");
    };
    await change();
    expect(await screen.findByText("Your PIN is set.")).toBeVisible();
    expect(await seen.at(-1)?.json()).toEqual({ pin: "90210", old_pin: "4071" });
    expect(screen.queryByLabelText("New PIN")).toBeNull();
    has = false;
    await change();
    await waitFor(() =>
      expect(screen.getByLabelText("PIN as it is")).toHaveAccessibleDescription(/^You have no PIN yet\./),
    );
    await userEvent.click(screen.getByRole("radio", { name: "With a code by SMS" }));
    expect(screen.getByLabelText("Phone number of this household")).toBeVisible();
    expect(screen.getByRole("button", { name: "Send me a code" })).toBeVisible();
  });

  it("end the session", async () => {
    const seen = serve({ "DELETE /api/v1/session": () => new Response(null, { status: 204 }) });
    show(<SettingsScreen />);
    await userEvent.click(screen.getByRole("button", { name: "Sign out" }));
    await waitFor(() => expect(seen.some(({ method }) => method === "DELETE")).toBe(true));
  });
});
