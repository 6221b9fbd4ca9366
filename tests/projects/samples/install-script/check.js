import { readFileSync } from "node:fs";

if (!readFileSync("dist/index.js", "utf8").includes("42")) {
  process.exit(1);
}
