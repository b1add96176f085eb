import { vi } from "vitest";

type Handler = (request: Request) => unknown | Promise<unknown>;

/** What the server would answer, by `METHOD /path`; anything else is a 404 with a code. */
export function serve(routes: Record<string, Handler>): Request[] {
  const seen: Request[] = [];
  vi.stubGlobal("fetch", async (input: Request | string, init?: RequestInit) => {
    const request =
      input instanceof Request ? input : new Request(new URL(input, "http://jirani.test"), init);
    seen.push(request);
    const handler = routes[`${request.method} ${new URL(request.url).pathname}`];
    const body = handler ? await handler(request) : refusal(404, "test.no_route", "Not served in this test.");
    if (body instanceof Response) return body;
    return Response.json(body);
  });
  return seen;
}

/** The server's way of saying no. */
export function refusal(status: number, code: string, detail: string): Response {
  return Response.json({ code, detail, detail_sw: `${detail} (sw)`, request_id: "req-1" }, { status });
}
