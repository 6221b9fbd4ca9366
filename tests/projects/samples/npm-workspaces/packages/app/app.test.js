import assert from "node:assert/strict";
import { test } from "node:test";
import { greet } from "@sample/core";
import ms from "ms";

test("greets from another package", () => assert.equal(greet(ms(1000)), "Hello 1s"));
