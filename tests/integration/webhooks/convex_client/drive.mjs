// Calls the double with the public client, and prints what came of each call as one JSON object.
import { ConvexHttpClient } from "convex/browser";
import { anyApi } from "convex/server";
import { ConvexError } from "convex/values";

const [url] = process.argv.slice(2);
const found = {};

function client(key, identity) {
  const made = new ConvexHttpClient(url, { skipConvexDeploymentUrlCheck: true, logger: false });
  if (key !== undefined) made.setAdminAuth(key, identity);
  return made;
}

async function told(name, call) {
  try {
    found[name] = { value: await call() };
  } catch (error) {
    found[name] = { message: error.message, convexError: error instanceof ConvexError, data: error.data };
  }
}

const { echo, tell, work, refuse, fail } = anyApi.app;
const key = "prod:name|secret";
const values = { text: "\u6587", number: 1.5, whole: 7, none: null, list: [true, { a: [] }], left: undefined };
const own = { big: 2n ** 40n, bytes: new Uint8Array([1, 2]).buffer, nan: NaN, zero: -0 };

await told("public", () => client().mutation(echo, values));
await told("own", async () => {
  const back = await client().mutation(echo, own);
  return {
    big: String(back.big),
    bytes: [...new Uint8Array(back.bytes)],
    nan: Number.isNaN(back.nan),
    zero: Object.is(back.zero, -0),
  };
});
await told("hidden", () => client().mutation(tell, {}));
await told("admin", () => client(key).mutation(tell, { jobId: "1" }));
await told("acting", () => client(key, { subject: "s", issuer: "https://i", tokenIdentifier: "i|s" }).mutation(tell, {}));
await told("action", () => client(key).action(work, {}));
await told("wrongKind", () => client(key).mutation(work, {}));
await told("convexError", () => client(key).mutation(refuse, {}));
await told("error", () => client(key).mutation(fail, {}));
await told("badKey", () => client("prod:name|other").mutation(tell, {}));
await told("noPermission", () => client("prod:name|read-only").mutation(tell, {}));
await told("extra", () => client(key).mutation(tell, { other: 1 }));
await told("longArray", () => client(key).mutation(echo, { list: Array(8193).fill(1) }));
await told("tooLarge", () => client(key).mutation(tell, { jobId: "x".repeat(2 ** 20) }));
console.log(JSON.stringify(found));
