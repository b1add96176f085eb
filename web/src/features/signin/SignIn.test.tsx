import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { show } from "../../testing/render";
import { refusal, serve } from "../../testing/server";
import { SignIn } from "./SignIn";
// Both ways are files of their own, which a browser has loaded before anybody types.
import "./DemoSignIn";
import "./PhoneSignIn";

const config = (demo: boolean) => ({ demo, now: "2026-11-22T09:00:00Z" });
const sent = (resend_after_s: number) => Response.json({ resend_after_s, valid_s: 300 }, { status: 202 });

beforeEach(() => localStorage.clear());

async function askForCode(number = "0712 345-678") {
  fireEvent.change(await screen.findByLabelText("Your phone number"), { target: { value: number } });
  await userEvent.click(screen.getByRole("button", { name: "Send me a code" }));
}

describe("signing in by phone", () => {
  it("asks for a number, then for the code that was sent to it, pasted as it came", async () => {
    const onSignedIn = vi.fn();
    const seen = serve({
      "GET /api/v1/config": () => config(false),
      "POST /api/v1/sign-in/code": () => sent(30),
      "POST /api/v1/sign-in": () => ({ role: "household", household_id: 1, token: "t", operator_name: null }),
    });
    show(<SignIn onSignedIn={onSignedIn} onOperator={() => {}} />);
    await askForCode();
    expect(await screen.findByText(/If 0712 345 678 is known here.*5 minutes/)).toBeVisible();
    const code = screen.getByLabelText("Code from the SMS");
    expect(code).toHaveAttribute("autocomplete", "one-time-code");
    expect(code).toHaveAttribute("inputmode", "numeric");
    await userEvent.click(code);
    await userEvent.paste("Code: 123 456");
    expect(code).toHaveValue("123456");
    await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
    await waitFor(() => expect(onSignedIn).toHaveBeenCalledOnce());
    const bodies = await Promise.all(
      seen.filter(({ method }) => method === "POST").map((request) => request.json()),
    );
    expect(bodies).toEqual([
      { phone: "254712345678", language: "en" },
      { phone: "254712345678", code: "123456", shared_phone: false, device_name: expect.any(String) },
    ]);
    expect(localStorage.getItem("jirani.hidden")).toBeNull();
  });

  it("names a wrong number at its field, asks nothing, and keeps what was typed", async () => {
    const seen = serve({ "GET /api/v1/config": () => config(false) });
    show(<SignIn onSignedIn={() => {}} onOperator={() => {}} />);
    await askForCode("0812 345");
    const phone = screen.getByLabelText("Your phone number");
    expect(phone).toHaveAccessibleDescription("Write a Kenyan mobile number like 0712 345 678");
    expect(phone).toBeInvalid();
    expect(phone).toHaveValue("0812 345");
    expect(seen.some(({ method }) => method === "POST")).toBe(false);
  });

  it("names a refused code at its field and keeps it, and the number, and the choice", async () => {
    serve({
      "GET /api/v1/config": () => config(false),
      "POST /api/v1/sign-in/code": () => sent(30),
      "POST /api/v1/sign-in": () => refusal(401, "api.code_wrong", "No."),
    });
    show(<SignIn onSignedIn={() => {}} onOperator={() => {}} />);
    await askForCode();
    const code = await screen.findByLabelText("Code from the SMS");
    await userEvent.type(code, "111111");
    await userEvent.click(screen.getByRole("checkbox", { name: "Other people use this phone" }));
    await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
    await waitFor(() => expect(code).toHaveAccessibleDescription(/This code is not right/));
    expect(code).toHaveValue("111111");
    expect(screen.getByRole("checkbox", { name: "Other people use this phone" })).toBeChecked();
    await userEvent.click(screen.getByRole("button", { name: "Another number" }));
    expect(screen.getByLabelText("Your phone number")).toHaveValue("0712 345-678");
  });

  it("hides amounts on a phone that is shared, and tells the server", async () => {
    const seen = serve({
      "GET /api/v1/config": () => config(false),
      "POST /api/v1/sign-in/code": () => sent(30),
      "POST /api/v1/sign-in": () => ({}),
    });
    show(<SignIn onSignedIn={() => {}} onOperator={() => {}} />);
    await askForCode();
    await userEvent.type(await screen.findByLabelText("Code from the SMS"), "123456");
    await userEvent.click(screen.getByRole("checkbox", { name: "Other people use this phone" }));
    await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
    await waitFor(() => expect(localStorage.getItem("jirani.hidden")).toBe("yes"));
    expect(await seen.at(-1)?.json()).toMatchObject({ shared_phone: true });
  });

  it("sends another code only when it may, and says when", async () => {
    let after = 30;
    const seen = serve({
      "GET /api/v1/config": () => config(false),
      "POST /api/v1/sign-in/code": () => sent(after),
    });
    const first = show(<SignIn onSignedIn={() => {}} onOperator={() => {}} />);
    await askForCode();
    expect(await screen.findByRole("button", { name: /can be sent in \d+ s/ })).toBeDisabled();
    first.unmount();
    after = 0;
    show(<SignIn onSignedIn={() => {}} onOperator={() => {}} />);
    await askForCode();
    const again = await screen.findByRole("button", { name: "Send another code" });
    const before = seen.length;
    await userEvent.click(again);
    await waitFor(() => expect(seen.length).toBe(before + 1));
  });

  it.each([
    [429, "api.code_too_soon", /^.*Subiri nusu dakika/],
    [429, "api.too_many_codes", /Umejaribu mara nyingi\./],
    [503, "api.no_text_messages", /Hakuna SMS inayotumwa kutoka hapa\./],
  ])("says in words why no code comes: %s %s", async (status, code, words) => {
    localStorage.setItem("jirani.language", "sw");
    serve({
      "GET /api/v1/config": () => config(false),
      "POST /api/v1/sign-in/code": () => refusal(status, code, "No."),
    });
    show(<SignIn onSignedIn={() => {}} onOperator={() => {}} />);
    fireEvent.change(await screen.findByLabelText("Nambari yako ya simu"), {
      target: { value: "0112345678" },
    });
    await userEvent.click(screen.getByRole("button", { name: "Nitumie nambari ya siri" }));
    expect(await screen.findByRole("alert")).toHaveTextContent(words);
    expect(screen.getByLabelText("Nambari yako ya simu")).toHaveValue("0112345678");
  });

  it("does not take a network that tried too often for a wrong code", async () => {
    serve({
      "GET /api/v1/config": () => config(false),
      "POST /api/v1/sign-in/code": () => sent(30),
      "POST /api/v1/sign-in": () => refusal(429, "api.too_many_sign_ins", "Too many."),
    });
    show(<SignIn onSignedIn={() => {}} onOperator={() => {}} />);
    await askForCode();
    await userEvent.type(await screen.findByLabelText("Code from the SMS"), "123456");
    await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("Too many tries.");
    expect(screen.getByLabelText("Code from the SMS")).toBeValid();
  });
});

describe("a demonstration", () => {
  it("lets anybody choose a household, and shows the real way to who asks for it", async () => {
    serve({
      "GET /api/v1/config": () => config(true),
      "GET /api/v1/demo/households": () => [
        { id: 1, name: "Achieng Mutiso", alias: "Mbuyu", kind: "home", pv_rated_w: 2_600 },
      ],
    });
    show(<SignIn onSignedIn={() => {}} onOperator={() => {}} />);
    expect(await screen.findByRole("button", { name: /Achieng Mutiso/ })).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Sign in by phone number" }));
    expect(screen.getByLabelText("Your phone number")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Back to the village" }));
    expect(await screen.findByRole("button", { name: /Achieng Mutiso/ })).toBeVisible();
  });
});
