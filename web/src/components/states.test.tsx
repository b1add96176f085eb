import { useQuery } from "@tanstack/react-query";
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api, asked } from "../lib/api";
import { home } from "../lib/questions";
import { noteReached } from "../lib/reach";
import { show } from "../testing/render";
import { serve } from "../testing/server";
import { Guard, Loaded, ServerButton } from "./states";

function Balance() {
  const query = useQuery({
    ...home,
    queryFn: () => asked(api.GET("/api/v1/me/home")),
    retry: false,
  });
  return (
    <>
      <Loaded query={query}>{(data) => <p data-testid="balance">{data.balance_cents}</p>}</Loaded>
      <button type="button" onClick={() => void query.refetch()}>
        Refresh
      </button>
    </>
  );
}

function Fragile({ broken }: { broken: () => boolean }) {
  if (broken()) throw new Error("a number that is none");
  return <p>whole</p>;
}

beforeEach(() => {
  localStorage.clear();
  vi.unstubAllGlobals();
});

describe("a part of a screen", () => {
  it("keeps its place while it waits, and says so to who cannot see it", async () => {
    serve({ "GET /api/v1/me/home": () => new Promise(() => {}) });
    show(<Balance />);
    expect(await screen.findByRole("status")).toHaveTextContent("Loading");
  });

  it("says in the person's language that nothing can be reached, and tries again when told to", async () => {
    localStorage.setItem("jirani.language", "sw");
    let dead = true;
    vi.stubGlobal("fetch", () =>
      dead
        ? Promise.reject(new TypeError("Failed to fetch"))
        : Promise.resolve(Response.json({ balance_cents: 7 })),
    );
    show(<Balance />);
    expect(await screen.findByRole("alert")).toHaveTextContent("Seva haipatikani.");
    dead = false;
    await userEvent.click(screen.getByRole("button", { name: "Jaribu tena" }));
    expect(await screen.findByTestId("balance")).toHaveTextContent("7");
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("keeps what it showed when it cannot be renewed, grey and with the reason", async () => {
    let dead = false;
    vi.stubGlobal("fetch", () =>
      dead
        ? Promise.reject(new TypeError("Failed to fetch"))
        : Promise.resolve(Response.json({ balance_cents: 7 })),
    );
    show(<Balance />);
    const balance = await screen.findByTestId("balance");
    expect(balance.closest("[data-old]")).toBeNull();
    dead = true;
    await userEvent.click(screen.getByRole("button", { name: "Refresh" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("The server cannot be reached.");
    expect(screen.getByTestId("balance").closest("[data-old]")).not.toBeNull();
  });

  it("breaks alone, and stands again when its reason is gone", async () => {
    const quiet = vi.spyOn(console, "error").mockImplementation(() => {});
    let broken = true;
    show(
      <>
        <Guard>
          <Fragile broken={() => broken} />
        </Guard>
        <p>its neighbour</p>
      </>,
    );
    expect(screen.getByRole("alert")).toHaveTextContent("This part could not be shown.");
    expect(screen.getByText("its neighbour")).toBeVisible();
    broken = false;
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(screen.getByText("whole")).toBeVisible();
    quiet.mockRestore();
  });
});

describe("a button that needs the server", () => {
  it("says why it cannot be pressed while the server is out of reach, and works again after", async () => {
    const pressed = vi.fn();
    noteReached("no");
    show(<ServerButton onClick={pressed}>Pay</ServerButton>);
    const button = screen.getByRole("button", { name: "Pay" });
    expect(button).toBeDisabled();
    expect(button).toHaveAccessibleDescription("Without a network this cannot be done now.");
    serve({ "GET /api/v1/me": () => ({}) });
    await asked(api.GET("/api/v1/me"));
    await userEvent.click(await screen.findByRole("button", { name: "Pay" }));
    expect(pressed).toHaveBeenCalledOnce();
  });
});
