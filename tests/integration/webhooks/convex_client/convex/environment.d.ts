// What @types/node, which every project with Convex has, tells of it.
declare const process: { env: Record<string, string | undefined> };
