import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { show } from "../testing/render";
import { refusal, serve } from "../testing/server";
import { ActsPage } from "./ActsPage";
import { App } from "./App";

const out = { "GET /api/v1/operator/overview": () => refusal(401, "api.signed_out", "Sign in.") };
const wrong = "Name, password or code is not right. A code is good once: wait for the next one.";
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
      [signIn]: () => refusal(401, "api.sign_in_wrong", wrong),
    });
    show(<App />, "/ops");
    await fill("123 45");
    const enter = screen.getByRole("button", { name: "Sign in" });
    expect(enter).toBeDisabled();
    await userEvent.type(screen.getByLabelText("Code from your authenticator"), "6");
    await userEvent.click(enter);
    const code = screen.getByLabelText("Code from your authenticator");
    await waitFor(() => expect(code).toHaveAccessibleDescription(wrong));
    expect(screen.getByLabelText("Account")).toHaveValue(" amina ");
    const post = seen.find(({ method }) => method === "POST");
    expect(await post?.json()).toEqual({ name: "amina", password: "long enough", code: "123456" });
    expect(screen.queryByRole("button", { name: /demo/ })).toBeNull();
  });

  it("says how long to wait after too many tries, and not that something typed was wrong", async () => {
    const message = "Too many tries from where you are.";
    serve({
      ...out,
      "GET /api/v1/config": () => ({ demo: false }),
      [signIn]: () => refusal(429, "api.too_many_sign_ins", message),
    });
    show(<App />, "/ops");
    await fill("123456");
    await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
    expect(await screen.findByRole("alert")).toHaveTextContent(message);
    expect(screen.getByLabelText("Password")).toHaveValue("long enough");
    expect(screen.getByLabelText("Code from your authenticator")).toBeValid();
  });

  it("is one click in a demonstration, as whom one likes to be", async () => {
    const seen = serve({
      ...out,
      "GET /api/v1/config": () => ({ demo: true }),
      "POST /api/v1/demo/session": () => ({ role: "admin" }),
    });
    show(<App />, "/ops");
    await userEvent.selectOptions(await screen.findByLabelText("Role"), "admin");
    await userEvent.click(screen.getByRole("button", { name: "Sign in as the operator (demo)" }));
    await waitFor(() => expect(seen.some(({ method }) => method === "POST")).toBe(true));
    const post = seen.find(({ method }) => method === "POST");
    expect(await post?.json()).toEqual({ operator: true, operator_name: null, role: "admin" });
  });
});

describe("an invitation", () => {
  const accept = "POST /api/v1/operator/accept";
  const server = { ...out, "GET /api/v1/config": () => ({ demo: false }) };

  async function take(password: string) {
    await userEvent.click(await screen.findByRole("button", { name: "I have an invitation" }));
    await userEvent.type(screen.getByLabelText("Account"), "Brian");
    await userEvent.type(screen.getByLabelText("Invitation"), " s3cret ");
    await userEvent.type(screen.getByLabelText("New password"), password);
    await userEvent.click(screen.getByRole("button", { name: "Set the password" }));
  }

  it("becomes a password and an authenticator, and leads to the sign-in with the name in place", async () => {
    const seen = serve({
      ...server,
      [accept]: () => ({
        totp_secret: "ABCDEFGHIJ",
        totp_uri: "otpauth://totp/Jirani:Brian?secret=ABCDEFGHIJ",
      }),
    });
    show(<App />, "/ops");
    await take("a very long one");
    expect(await screen.findByTestId("authenticator")).toHaveTextContent("ABCD EFGH IJ");
    expect(screen.getByRole("link", { name: /authenticator/ })).toHaveAttribute(
      "href",
      "otpauth://totp/Jirani:Brian?secret=ABCDEFGHIJ",
    );
    const post = seen.find(({ method }) => method === "POST");
    expect(await post?.json()).toEqual({ name: "Brian", secret: "s3cret", password: "a very long one" });
    await userEvent.click(screen.getByRole("button", { name: "It is in: go on to sign in" }));
    expect(screen.getByLabelText("Account")).toHaveValue("Brian");
    expect(screen.queryByText("ABCD EFGH IJ")).toBeNull();
  });

  it("asks nothing with a short password, and says at its field that it is no longer good", async () => {
    const message = "That is no invitation, or it is no longer good. Ask for a new one.";
    const seen = serve({ ...server, [accept]: () => refusal(401, "api.invitation_wrong", message) });
    show(<App />, "/ops");
    await take("short");
    expect(screen.getByLabelText("New password")).toHaveAccessibleDescription(
      "Only 5 of at least 12 characters",
    );
    expect(seen.some(({ method }) => method === "POST")).toBe(false);
    await userEvent.type(screen.getByLabelText("New password"), " and longer");
    await userEvent.click(screen.getByRole("button", { name: "Set the password" }));
    await waitFor(() => expect(screen.getByLabelText("Invitation")).toHaveAccessibleDescription(message));
    expect(screen.getByLabelText("New password")).toHaveValue("short and longer");
  });
});

describe("the acts", () => {
  it("say who did what, page after page", async () => {
    const act = (number: number, who: string) => ({
      number,
      at: "2026-11-22T09:00:00Z",
      who,
      role: "operator",
      act: "POST /api/v1/operator/meters/{meter}/retire meter=369ecac5",
      hash: "ab".repeat(32),
    });
    serve({
      "GET /api/v1/operator/acts": ({ url }) =>
        new URL(url).searchParams.get("before") === "3"
          ? { acts: [act(2, "brian")], next_before: null }
          : { acts: [act(3, "amina")], next_before: 3 },
    });
    show(<ActsPage />);
    expect(await screen.findByText("amina")).toBeVisible();
    expect(screen.getByText("abababababab")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Older" }));
    expect(await screen.findByText("brian")).toBeVisible();
    expect(screen.getByText("amina")).toBeVisible();
    expect(screen.queryByRole("button", { name: "Older" })).toBeNull();
  });

  it("are not for everybody", async () => {
    const message = "Your role does not include this. Ask a colleague whose role does.";
    serve({ "GET /api/v1/operator/acts": () => refusal(403, "api.other_role", message) });
    show(<ActsPage />);
    expect(await screen.findByRole("alert")).toHaveTextContent(message);
  });
});
