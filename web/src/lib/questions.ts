/** What the first screen asks: begun before anything is drawn, so that the answers travel beside the files. */
import { queryOptions } from "@tanstack/react-query";
import { api, asked } from "./api";

export const me = queryOptions({ queryKey: ["me"], queryFn: () => asked(api.GET("/api/v1/me")) });

export const home = queryOptions({ queryKey: ["home"], queryFn: () => asked(api.GET("/api/v1/me/home")) });

export const config = queryOptions({
  queryKey: ["config"],
  queryFn: () => asked(api.GET("/api/v1/config")),
  staleTime: 600_000,
});
