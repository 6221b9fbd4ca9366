import test from "ava";

test("adds", (t) => t.is(1 + 1, 2));
test("multiplies", (t) => t.is(2 * 3, 6));
test.skip("divides", (t) => t.is(4 / 2, 2));
