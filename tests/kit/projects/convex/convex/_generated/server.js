import { queryGeneric } from "convex/server";
export const query = queryGeneric;
