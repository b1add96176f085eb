import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";
import { noteReached } from "../lib/reach";

// A busy machine draws late; what never comes still fails.
configure({ asyncUtilTimeout: 5_000 });

afterEach(cleanup);
afterEach(() => noteReached("yes"));
