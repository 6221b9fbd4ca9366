import assert from "node:assert/strict";
import { test } from "node:test";
import { greet } from "@sample/core";

test("greets", () => assert.equal(greet("you"), "Hello you"));
