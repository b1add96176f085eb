import { ApiError } from "../../lib/api";
import type { pinTexts } from "./texts";

/** What the server says of a PIN, in words that say what to do; null when it is of something else. */
export function ofPin(error: unknown, texts: typeof pinTexts.en): string | null {
  if (!(error instanceof ApiError)) return null;
  switch (error.code) {
    case "api.pin_wrong":
      return texts.wrong;
    case "api.pin_locked":
      return texts.locked;
    case "api.pin_not_set":
      return texts.notSet;
    default:
      return error.status === 429 ? texts.tooMany : null;
  }
}

export const isCode = (error: unknown, code: string): boolean =>
  error instanceof ApiError && error.code === code;
