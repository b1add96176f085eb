/** A household's newest movements, for the list and for each one's proof. */
import { queryOptions } from "@tanstack/react-query";
import { api, asked } from "../../lib/api";

export const movements = queryOptions({
  queryKey: ["movements"],
  queryFn: () => asked(api.GET("/api/v1/me/movements", { params: { query: { limit: 100 } } })),
});
