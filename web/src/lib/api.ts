/**
 * The API's client: typed by the server's own OpenAPI description.
 * The session is a cookie; `X-Jirani` proves that our own page asks.
 */
import type { Client } from "openapi-fetch";
import type { components, paths } from "./api.gen";
import { pinGiven } from "./pin";
import { noteReached } from "./reach";

export type Schemas = components["schemas"];
export type Home = Schemas["HomeView"];
export type Order = Schemas["OrderView"];
export type Offer = Schemas["OfferView"];
export type Movement = Schemas["MovementView"];
export type Advice = Schemas["AdviceView"];

/** No answer came: nobody knows whether the question arrived. */
export class Unreachable extends Error {}

/** The refusal of a question that moves money before the PIN was given. */
const pinNeeded = "api.pin_needed";

interface Question {
  params?: Partial<Record<"path" | "query" | "header", Record<string, unknown>>>;
  headers?: Record<string, string>;
  /** A file as it is, everything else as JSON. */
  body?: unknown;
}

// openapi-fetch's types over the little of it that this API needs.
const door =
  (method: string) =>
  async (template: string, { params = {}, headers: own = {}, body }: Question = {}) => {
    const path = template.replace(/\{(\w+)\}/g, (_, name) =>
      encodeURIComponent(String(params.path?.[name] ?? "")),
    );
    const url = new URL(path, window.location.origin);
    for (const [name, value] of Object.entries(params.query ?? {})) {
      if (value !== null && value !== undefined) url.searchParams.append(name, String(value));
    }
    const headers = new Headers({ "X-Jirani": "1" });
    for (const [name, value] of Object.entries(params.header ?? {})) headers.set(name, String(value));
    const isFile = body instanceof Blob;
    if (body !== undefined && !isFile) headers.set("Content-Type", "application/json");
    for (const [name, value] of Object.entries(own)) headers.set(name, value);
    const sent = body === undefined ? null : isFile ? body : JSON.stringify(body);
    const from = document.activeElement;
    for (;;) {
      const request = new Request(url, { method, headers, body: sent });
      let response: Response;
      let text: string;
      try {
        response = await globalThis.fetch(request);
        text = await response.text();
      } catch {
        noteReached("no");
        throw new Unreachable("the server does not answer");
      }
      const read = parsed(text);
      // A network that answers in the server's place, for example to sell airtime.
      const impostor = response.ok && text !== "" && read === undefined;
      noteReached(impostor ? "no" : "yes");
      if (impostor) throw new Unreachable("somebody else answers for the server");
      if (response.ok) return { data: read, response };
      // Nothing was done: the same question under the same key is still the first one.
      const wantsPin =
        response.status === 403 && (read as Partial<Schemas["Problem"]> | null)?.code === pinNeeded;
      if (wantsPin && (await pinGiven(from)) === "given") continue;
      return { error: read, response };
    }
  };

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const api = {
  GET: door("GET"),
  POST: door("POST"),
  PUT: door("PUT"),
  DELETE: door("DELETE"),
} as unknown as Pick<Client<paths>, "GET" | "POST" | "PUT" | "DELETE">;

/** A refusal by the server, with its stable code and a sentence for people in each language. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    en: string,
    readonly sw: string,
    readonly requestId: string | null,
    readonly status: number,
  ) {
    super(en);
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
  const problem = (error ?? {}) as Partial<Schemas["Problem"]>;
  throw new ApiError(
    problem.code ?? "network.unreadable",
    problem.detail ?? `The server answered ${response.status}.`,
    problem.detail_sw ?? `Seva imejibu ${response.status}.`,
    problem.request_id ?? null,
    response.status,
  );
}

/** One per thing a person wants done: a double tap or a retry is still one. */
export function newIntentKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
