/**
 * Accounts: who signs in and on which devices, the PIN, who is let in at the operator's desk,
 * and what they did there.
 */
import { api, asked, type Schemas } from "./api";

/** A session of this household on some device. */
export interface Device {
  id: string;
  /** What it was called when it signed in; null for one that did not say. */
  name: string | null;
  created_at: string;
  expires_at: string;
  /** The one that asks. */
  this_one: boolean;
}

/** When a code may be asked for again, and how long this one holds. */
export interface CodeSent {
  resend_after_s: number;
  valid_s: number;
}

type Door = (path: string, question?: object) => Promise<{ data?: unknown; response: Response }>;

// These routes are not in the description that the client's types are made from.
const doors = api as unknown as Record<"GET" | "POST" | "DELETE", Door>;
const ask = <T>(answer: ReturnType<Door>) => asked(answer as Promise<{ data?: T; response: Response }>);

export const devices = () => ask<Device[]>(doors.GET("/api/v1/me/devices"));

export const signOutDevice = (id: string) =>
  ask<void>(doors.DELETE("/api/v1/me/devices/{id}", { params: { path: { id } } }));

/** Every device but the one that asks. */
export const signOutOthers = () => ask<void>(doors.DELETE("/api/v1/me/devices"));

/** Asks for a code by SMS: the same answer whether the number is known or not. */
export const sendCode = (phone: string, language: "en" | "sw") =>
  ask<CodeSent>(doors.POST("/api/v1/sign-in/code", { body: { phone, language } }));

export const signIn = (body: { phone: string; code: string; shared_phone: boolean; device_name: string }) =>
  ask<unknown>(doors.POST("/api/v1/sign-in", { body }));

/** What this device is called in the list of devices: the browser and the system, nothing finer. */
export function deviceName(agent = navigator.userAgent): string {
  // Every browser also calls itself those that come after it here.
  const browsers = {
    OPR: "Opera",
    Edg: "Edge",
    SamsungBrowser: "Samsung",
    Firefox: "Firefox",
    Chrome: "Chrome",
    Safari: "Safari",
  };
  const browser = Object.entries(browsers).find(([mark]) => agent.includes(`${mark}/`))?.[1] ?? "Browser";
  const system = ["Android", "iPhone", "iPad", "Windows", "Mac", "Linux"].find((name) =>
    agent.includes(name),
  );
  return system ? `${browser}, ${system}` : browser;
}

/** Gives the PIN: for some minutes this session may move money. */
export const givePin = (pin: string) => ask<void>(doors.POST("/api/v1/session/pin", { body: { pin } }));

/** Sets the PIN, against the old one or a code that was sent; money may move then as well. */
export const setPin = (body: { pin: string } & ({ old_pin: string } | { code: string })) =>
  ask<void>(doors.POST("/api/v1/me/pin", { body }));

export const operatorSignIn = (body: { name: string; password: string; code: string }) =>
  ask<unknown>(doors.POST("/api/v1/operator/sign-in", { body }));

/** What somebody at the desk is there for. */
export type DeskRole = Schemas["DeskRoleView"];

/** In a demonstration: without a role it is operator, finance and auditor in one. */
export const demoOperator = (operator_name: string | null, role: DeskRole | null) =>
  asked(api.POST("/api/v1/demo/session", { body: { operator: true, operator_name, ...(role && { role }) } }));

/** What the authenticator of a new account is told. Shown once. */
export interface Accepted {
  totp_secret: string;
  totp_uri: string;
}

export const acceptInvitation = (body: { name: string; secret: string; password: string }) =>
  ask<Accepted>(doors.POST("/api/v1/operator/accept", { body }));

/** Somebody who is, was or will be let in. */
export interface Person {
  name: string;
  /** Null for what a demonstration's operator may. */
  role: DeskRole | null;
  state: "invited" | "active" | "retired";
  created_at: string;
  since: string;
}

/** Lets one person choose a password until then. The secret is shown once. */
export interface Invitation {
  name: string;
  secret: string;
  until: string;
}

export const people = () => ask<Person[]>(doors.GET("/api/v1/operator/people"));

export const invite = (body: { name: string; role: DeskRole }) =>
  ask<Invitation>(doors.POST("/api/v1/operator/people", { body }));

/** Takes password, authenticator and sessions away, and invites anew. */
export const resetPerson = (name: string) =>
  ask<Invitation>(doors.POST("/api/v1/operator/people/{name}/reset", { params: { path: { name } } }));

/** For good. */
export const retirePerson = (name: string) =>
  ask<Person>(doors.POST("/api/v1/operator/people/{name}/retire", { params: { path: { name } } }));

/** Something that somebody at the desk asked for that changes something, in the chain of all of them. */
export interface Act {
  number: number;
  at: string;
  who: string;
  /** A desk role, `all` in a demonstration, `shell` on the command line. */
  role: string;
  act: string;
  hash: string;
}

/** Newest first; `next_before` asks for the page after this one. */
export interface Acts {
  acts: Act[];
  next_before: number | null;
}

export const acts = (before: number | null) =>
  ask<Acts>(doors.GET("/api/v1/operator/acts", { params: { query: { before } } }));
