import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";
import { noteReached } from "../lib/reach";

afterEach(cleanup);
afterEach(() => noteReached("yes"));
