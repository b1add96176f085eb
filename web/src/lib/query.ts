import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./api";
import { LONGEST_MS } from "./snapshot";

/** Server state: kept while offline, asked again on return, never retried when refused. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: "offlineFirst",
        staleTime: 2_000,
        // As long as on the device: a screen that was read once opens without a network.
        gcTime: LONGEST_MS,
        retry: (failures, error) => !(error instanceof ApiError && error.status < 500) && failures < 2,
      },
      mutations: { networkMode: "always", retry: false },
    },
  });
}
