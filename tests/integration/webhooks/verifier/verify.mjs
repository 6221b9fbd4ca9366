// Reads [{secret, headers, body}] from a file; prints for each "accepted", or the name of what was thrown.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const verdicts = JSON.parse(readFileSync(process.argv[2], "utf8")).map(({ secret, headers, body }) => {
  try {
    new Webhook(secret).verify(body, headers);
    return "accepted";
  } catch (error) {
    return error.constructor.name;
  }
});
console.log(JSON.stringify(verdicts));
