import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { show } from "../../testing/render";
import { serve } from "../../testing/server";
import { HandsetScreen } from "./HandsetScreen";

const homes = [
  { id: 4, name: "Amina Wanjiku", alias: "Baobab", kind: "home", pv_rated_w: 3000 },
  { id: 9, name: "Losses", alias: "Operator", kind: "loss", pv_rated_w: 0 },
];
const phone = {
  service_code: "*384*1#",
  number_masked: "0712 *** 001",
  messages: [{ number: 1, text: "Jirani: your code is 123456.", at: "2026-11-22T15:30:00Z" }],
};

test("a phone dials, answers with everything typed so far, and shows its messages", async () => {
  const said: unknown[] = [];
  const screens: Record<string, { text: string; asks: boolean }> = {
    "": { text: "Jirani\nEnter your PIN.", asks: true },
    "2580": { text: "Jirani\n1 Balance", asks: true },
    "2580*1": { text: "Money: KSh 10.00", asks: false },
  };
  serve({
    "GET /api/v1/demo/households": () => homes,
    "GET /api/v1/demo/handsets/4": () => phone,
    "POST /api/v1/demo/handsets/4/ussd": async (request) => {
      const body = (await request.json()) as { session_id: string; text: string };
      said.push(body);
      return screens[body.text];
    },
  });
  show(<HandsetScreen />);
  const person = userEvent.setup();
  await person.click(await screen.findByRole("button", { name: "Dial *384*1#" }));
  expect(await screen.findByText(/Enter your PIN/)).toBeInTheDocument();
  await person.type(screen.getByLabelText("Your answer"), "2580");
  await person.click(screen.getByRole("button", { name: "Send" }));
  expect(await screen.findByText(/1 Balance/)).toBeInTheDocument();
  await person.type(screen.getByLabelText("Your answer"), "1");
  await person.click(screen.getByRole("button", { name: "Send" }));
  expect(await screen.findByText("Money: KSh 10.00")).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Dial *384*1#" })).toBeInTheDocument();
  const sessions = new Set(said.map((one) => (one as { session_id: string }).session_id));
  expect(sessions.size).toBe(1);
  expect(screen.getByText("Jirani: your code is 123456.")).toBeInTheDocument();
  expect(screen.queryByText("Losses")).not.toBeInTheDocument();
});
