// As `convex codegen` writes it.
import {
  httpActionGeneric,
  internalMutationGeneric,
  internalQueryGeneric,
  type GenericMutationCtx,
  type HttpActionBuilder,
  type MutationBuilder,
  type QueryBuilder,
} from "convex/server";
import type { DataModel } from "./dataModel.js";

export const internalMutation: MutationBuilder<DataModel, "internal"> = internalMutationGeneric;
export const internalQuery: QueryBuilder<DataModel, "internal"> = internalQueryGeneric;
export const httpAction: HttpActionBuilder = httpActionGeneric;
export type MutationCtx = GenericMutationCtx<DataModel>;
