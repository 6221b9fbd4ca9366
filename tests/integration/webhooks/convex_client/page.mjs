// Runs the page's own functions, bundled to jobs.bundle.mjs and http.bundle.mjs, on a table in memory.
// In given.json: the arguments of calls, and requests for the HTTP action. Out: the validators' fields and words, the
// table's `seq`s after each call, and what each request was answered and led to.
import { readFileSync } from "node:fs";
import { onProgress, onResult } from "./jobs.bundle.mjs";
import http from "./http.bundle.mjs";

const { calls, requests } = JSON.parse(readFileSync("given.json", "utf8"));
const table = new Map();
const db = {
  query: () => ({
    withIndex: (_name, by) => {
      const asked = {};
      by({ eq: (field, value) => (asked[field] = value) });
      const [[field, value]] = Object.entries(asked);
      return { unique: async () => [...table.values()].find((row) => row[field] === value) ?? null };
    },
  }),
  insert: async (_table, row) => void table.set(`id${table.size}`, { ...row, _id: `id${table.size}` }),
  replace: async (id, row) => void table.set(id, { ...row, _id: id }),
};

const fields = (built) =>
  Object.fromEntries(Object.entries(JSON.parse(built.exportArgs()).value).map(([name, one]) => [name, !one.optional]));

const literals = (built, name) =>
  JSON.parse(built.exportArgs()).value[name].fieldType.value.map((one) => one.value);

const seen = [];
for (const args of calls) {
  await (args.event === "job.progress" ? onProgress : onResult)._handler({ db }, args);
  seen.push([...table.values()].map((row) => row.seq));
}

const [handler] = http.lookup("/chef", "POST");
const answers = [];
for (const { headers, body } of requests) {
  const told = [];
  const ctx = { runMutation: async (_function, args) => void told.push(args) };
  const request = new Request("https://name.convex.site/chef", { method: "POST", headers, body });
  const response = await handler._handler(ctx, request);
  answers.push({ status: response.status, told });
}
const words = Object.fromEntries(["event", "type", "status"].map((name) => [name, literals(onResult, name)]));
console.log(JSON.stringify({ onResult: fields(onResult), onProgress: fields(onProgress), words, seen, answers }));
