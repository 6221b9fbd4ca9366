import { test } from "node:test";

test("waits for a reply that never comes", () => new Promise((resolve) => setTimeout(resolve, 3_600_000)));
