import { describe, expect, test } from "vitest";
import { clock } from "./clock";

describe("clock", () => {
  test("shows minutes and seconds", () => {
    expect(clock(75)).toBe("1:15");
  });

  test("pads the seconds", () => {
    expect(clock(61)).toBe("1:01");
  });
});
