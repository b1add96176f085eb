/**
 * The API's client: typed by the server's own OpenAPI description.
 * The session is a cookie; `X-Jirani` proves that our own page asks.
 */
import createClient from "openapi-fetch";
import type { components, paths } from "./api.gen";

export type Schemas = components["schemas"];
export type Home = Schemas["HomeView"];
export type Order = Schemas["OrderView"];
export type Offer = Schemas["OfferView"];
export type Movement = Schemas["MovementView"];
export type Advice = Schemas["AdviceView"];

export const api = createClient<paths>({
  baseUrl: window.location.origin,
  headers: { "X-Jirani": "1" },
  fetch: (request) => globalThis.fetch(request),
});

/** A refusal by the server, with its stable code and a sentence for people. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly requestId: string | null,
    readonly status: number,
  ) {
    super(message);
  }
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer's data, or the server's refusal as an `ApiError`. */
export async function asked<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (response.ok) return data as T;
  const body = (error ?? {}) as { code?: string; message?: string; request_id?: string };
  throw new ApiError(
    body.code ?? "network.unreadable",
    body.message ?? `The server answered ${response.status}.`,
    body.request_id ?? null,
    response.status,
  );
}

/** One per thing a person wants done: a double tap or a retry is still one. */
export function newIntentKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
