import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { show } from "../../testing/render";
import { refusal, serve } from "../../testing/server";
import { PeoplePage } from "./PeoplePage";

const person = (name: string, role: string | null, state: string) => ({
  name,
  role,
  state,
  created_at: "2026-11-20T09:00:00Z",
  since: "2026-11-22T09:00:00Z",
});
const all = [person("Amina W.", "admin", "active"), person("O'Brien", "finance", "retired")];

describe("people", () => {
  it("are listed with what they are there for, and who is gone is left in peace", async () => {
    serve({ "GET /api/v1/operator/people": () => [...all, person("Guest", null, "invited")] });
    show(<PeoplePage />);
    const row = async (name: string) => within((await screen.findByText(name)).closest("tr") as HTMLElement);
    expect((await row("Amina W.")).getByText("Admin: lets people in and out")).toBeVisible();
    expect((await row("Guest")).getByText("invited, not here yet")).toBeVisible();
    expect((await row("O'Brien")).getByText("retired")).toBeVisible();
    expect((await row("O'Brien")).queryByRole("button")).toBeNull();
  });

  it("are invited with a name and a role, and the invitation is shown until it is passed on", async () => {
    let list = all;
    const seen = serve({
      "GET /api/v1/operator/people": () => list,
      "POST /api/v1/operator/people": () => {
        list = [...all, person("Brian", "finance", "invited")];
        return { name: "Brian", secret: "s3cret-of-brian", until: "2026-11-25T09:00:00Z" };
      },
    });
    show(<PeoplePage />);
    const send = screen.getByRole("button", { name: "Invite" });
    await userEvent.type(screen.getByLabelText("Name"), " Brian ");
    expect(send).toBeDisabled();
    await userEvent.selectOptions(screen.getByLabelText("Role"), "finance");
    await userEvent.click(send);
    expect(await screen.findByTestId("invitation")).toHaveTextContent("s3cret-of-brian");
    expect(await screen.findByRole("button", { name: "Retire: Brian" })).toBeVisible();
    const post = seen.find(({ method }) => method === "POST");
    expect(await post?.json()).toEqual({ name: "Brian", role: "finance" });
    await userEvent.click(screen.getByRole("button", { name: "I have passed it on" }));
    expect(screen.queryByText("s3cret-of-brian")).toBeNull();
  });

  it("keep what was typed when the name was given before, and say so at the name", async () => {
    const message = "somebody has or had the name O'Brien; names are never given twice";
    serve({
      "GET /api/v1/operator/people": () => all,
      "POST /api/v1/operator/people": () => refusal(409, "operators.name_taken", message),
    });
    show(<PeoplePage />);
    await userEvent.type(screen.getByLabelText("Name"), "O'Brien");
    await userEvent.selectOptions(screen.getByLabelText("Role"), "operator");
    await userEvent.click(screen.getByRole("button", { name: "Invite" }));
    await waitFor(() => expect(screen.getByLabelText("Name")).toHaveAccessibleDescription(message));
    expect(screen.getByLabelText("Name")).toHaveValue("O'Brien");
  });

  it("are invited anew or retired only after a second yes", async () => {
    const asked: string[] = [];
    const note = (request: Request) => void asked.push(decodeURIComponent(new URL(request.url).pathname));
    serve({
      "GET /api/v1/operator/people": () => all,
      "POST /api/v1/operator/people/Amina%20W./reset": (request) => {
        note(request);
        return { name: "Amina W.", secret: "another-one", until: "2026-11-25T09:00:00Z" };
      },
      "POST /api/v1/operator/people/Amina%20W./retire": (request) => {
        note(request);
        return person("Amina W.", "admin", "retired");
      },
    });
    show(<PeoplePage />);
    await userEvent.click(await screen.findByRole("button", { name: "Retire: Amina W." }));
    expect(screen.getByRole("status")).toHaveTextContent("for good");
    await userEvent.click(screen.getByRole("button", { name: "Back" }));
    expect(asked).toEqual([]);
    await userEvent.click(screen.getByRole("button", { name: "Invite anew: Amina W." }));
    await userEvent.click(screen.getByRole("button", { name: "Yes: invite Amina W. anew" }));
    expect(await screen.findByTestId("invitation")).toHaveTextContent("another-one");
    await userEvent.click(screen.getByRole("button", { name: "Retire: Amina W." }));
    expect(screen.queryByTestId("invitation")).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: "Yes: retire Amina W." }));
    await waitFor(() =>
      expect(asked).toEqual(["reset", "retire"].map((act) => `/api/v1/operator/people/Amina W./${act}`)),
    );
  });

  it("are let in and out by an admin only, and anybody else is told", async () => {
    const message = "Your role does not include this. Ask a colleague whose role does.";
    serve({
      "GET /api/v1/operator/people": () => all,
      "POST /api/v1/operator/people/Amina%20W./retire": () => refusal(403, "api.other_role", message),
    });
    show(<PeoplePage />);
    await userEvent.click(await screen.findByRole("button", { name: "Retire: Amina W." }));
    await userEvent.click(screen.getByRole("button", { name: "Yes: retire Amina W." }));
    expect(await screen.findByRole("alert")).toHaveTextContent(message);
    expect(screen.getByRole("button", { name: "Retire: Amina W." })).toBeVisible();
  });
});
