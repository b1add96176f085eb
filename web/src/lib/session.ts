/** The end of a session, from wherever it is asked for. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useLocation } from "wouter";
import { api, asked } from "./api";
import { forget } from "./snapshot";

/** Leaves nothing of this person on the device: the next one starts at home. */
export function useSignOut() {
  const client = useQueryClient();
  const [, go] = useLocation();
  return useMutation({
    mutationKey: ["sign-out"],
    mutationFn: () => asked(api.DELETE("/api/v1/session")),
    onSettled: async () => {
      forget();
      await client.resetQueries({ queryKey: ["me"] });
      go("/");
      client.removeQueries({ type: "inactive" });
    },
  });
}
