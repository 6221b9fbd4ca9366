// As `convex codegen` writes it.
import { anyApi, type ApiFromModules, type FilterApi, type FunctionReference } from "convex/server";
import type * as http from "../http.js";
import type * as jobs from "../jobs.js";

const fullApi: ApiFromModules<{ http: typeof http; jobs: typeof jobs }> = anyApi as any;

export const internal: FilterApi<typeof fullApi, FunctionReference<any, "internal">> = anyApi as any;
