import { expect, test } from "vitest";
import { initial, reduce } from "./timers";

test("a tick takes one second", () => {
  const [eggs] = reduce(initial, { type: "tick" });

  expect(eggs.seconds).toBe(359);
});

test("a timer stops at zero", () => {
  const done = [{ id: 1, name: "Eggs", seconds: 0 }];

  expect(reduce(done, { type: "tick" })).toEqual(done);
});

test("an added timer gets an id of its own", () => {
  const timers = reduce(initial, { type: "added", name: "Pasta", seconds: 540 });

  expect(timers.map((timer) => timer.id)).toEqual([1, 2]);
});
