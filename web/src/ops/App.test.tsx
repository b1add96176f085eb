import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { show } from "../testing/render";
import { refusal, serve } from "../testing/server";
import { ActsPage } from "./ActsPage";
import { App } from "./App";

const out = { "GET /api/v1/operator/overview": () => refusal(401, "api.signed_out", "Sign in.") };
const signIn = "POST /api/v1/operator/sign-in";

async function fill(code: string) {
  await userEvent.type(await screen.findByLabelText("Account"), " amina ");
  await userEvent.type(screen.getByLabelText("Password"), "long enough");
  await userEvent.type(screen.getByLabelText("Code from your authenticator"), code);
}

describe("the operator's door", () => {
  it("takes name, password and code, and says of none of them that it was the wrong one", async () => {
    const seen = serve({
      ...out,
      "GET /api/v1/config": () => ({ demo: false }),
      [signIn]: () => refusal(401, "operator.refused", "No."),
    });
    show(<App />, "/ops");
    await fill("123 45");
    const enter = screen.getByRole("button", { name: "Sign in" });
    expect(enter).toBeDisabled();
    await userEvent.type(screen.getByLabelText("Code from your authenticator"), "6");
    await userEvent.click(enter);
    const code = screen.getByLabelText("Code from your authenticator");
    await waitFor(() =>
      expect(code).toHaveAccessibleDescription("Name, password and code do not belong together."),
    );
    expect(screen.getByLabelText("Account")).toHaveValue(" amina ");
    const post = seen.find(({ method }) => method === "POST");
    expect(await post?.json()).toEqual({ name: "amina", password: "long enough", code: "123456" });
    expect(screen.queryByRole("button", { name: /demo/ })).toBeNull();
  });

  it("says that a server without accounts has none, and stays one click in a demonstration", async () => {
    serve({ ...out, "GET /api/v1/config": () => ({ demo: true }) });
    show(<App />, "/ops");
    expect(await screen.findByRole("button", { name: "Sign in as the operator (demo)" })).toBeVisible();
    await fill("123456");
    await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
    expect(await screen.findByText("This server keeps no operators' accounts.")).toBeVisible();
  });
});

describe("the acts", () => {
  it("say who did what, and that a server keeps none", async () => {
    serve({
      "GET /api/v1/operator/acts": () => ({
        acts: [
          {
            number: 3,
            at: "2026-11-22T09:00:00Z",
            who: "amina",
            role: "operator",
            act: "POST /api/v1/operator/meters/{meter}/retire",
            hash: "ab".repeat(32),
          },
        ],
        next_before: null,
      }),
    });
    const first = show(<ActsPage />);
    expect(await screen.findByText("amina")).toBeVisible();
    expect(screen.getByText("abababababab")).toBeVisible();
    first.unmount();
    serve({});
    show(<ActsPage />);
    expect(await screen.findByText("This server keeps no list of acts.")).toBeVisible();
  });
});
